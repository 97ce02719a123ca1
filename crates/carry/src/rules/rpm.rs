//! What rpm's database says of packages, for the rule `package` (rpm(8), the tags of rpm's headers).

use std::path::{Path, PathBuf};

use bareroot_rpm::{Header, Tag};
use bareroot_rpm_db::{Backend, Source};

use super::package::{Database, Package};
use crate::collect::Collector;
use crate::error::Error;

/// Where it is, in distributions of today and of before.
const DIRECTORIES: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];

/// The largest database that is read, in bytes: several times that of a workstation.
const LARGEST: u64 = 1 << 30;

impl Collector<'_> {
    /// Reads the database that a source has. None, or one that is damaged, has no packages: programs go without their packages'
    /// data then, as where there is no database.
    pub(super) fn read_rpm(&self) -> Result<Database, Error> {
        let mut database = Database::default();
        for directory in DIRECTORIES {
            for backend in Backend::ALL {
                let path = Path::new(directory).join(backend.file());
                let Some(bytes) = self.source.bytes(&path, LARGEST)? else {
                    continue;
                };
                let mut log = PathBuf::from(&path).into_os_string();
                log.push("-wal");
                let log = self.source.bytes(Path::new(&log), LARGEST)?;
                let source = Source {
                    name: backend.file(),
                    bytes: &bytes,
                    log: log.as_deref(),
                };
                if let Ok(contents) = source.read() {
                    for record in contents.records() {
                        if let Ok(header) = bareroot_rpm::blob::parse(source.name, &record.blob.bytes()) {
                            add(&mut database, &header);
                        }
                    }
                    return Ok(database);
                }
            }
        }
        Ok(database)
    }
}

/// Adds the package of a header.
fn add(database: &mut Database, header: &Header) {
    let Some(name) = header.text(Tag::NAME) else {
        return;
    };
    // Of `nginx-1.26.3-1.fc42.src.rpm` the name, which has no version and no release.
    let source = header.text(Tag::SOURCERPM).unwrap_or_default();
    let source = source.rsplitn(3, '-').last().unwrap_or_default();
    let mut list = b"/.\n".to_vec();
    for file in header.files().iter() {
        list.extend_from_slice(&file.path());
        list.push(b'\n');
    }
    let package = Package {
        source: source.to_owned(),
        depends: header
            .texts(Tag::REQUIRENAME)
            .into_iter()
            .map(str::to_owned)
            .collect(),
    };
    let arch = header.text(Tag::ARCH).unwrap_or_default();
    database.add(name, package, format!("{name}:{arch}"), list);
}
