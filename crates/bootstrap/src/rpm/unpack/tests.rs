//! A real package, written into a root.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use bareroot_fetch::Location;
use bareroot_model::{Cancel, Digest, Null, Package, Reason};
use bareroot_trust::{Expected, Verified};
use sha2::{Digest as _, Sha256};

use super::*;

const FILESYSTEM: &str = "filesystem-2.4.44-1.fc16.i686.rpm";

fn arrived(name: &str) -> Arrived {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/rpm")
        .join(name);
    let bytes = std::fs::read(&path).unwrap();
    let digest = Digest::new(Sha256::digest(&bytes).into());
    let file = std::fs::File::open(&path).unwrap();
    let blob = Verified::local(Blob::new(file, bytes.len() as u64, digest, name));
    let file = PackageFile::open(&blob, &Limits::default()).unwrap();
    let pick = Pick {
        package: Package {
            name: file.header().nevra().name,
            version: file.header().nevra().evr(),
            architecture: file.header().nevra().arch,
            size: bytes.len() as u64,
            sha256: Some(digest),
            sha512: None,
            path: name.to_owned(),
            source: None,
            reason: Reason::Wished,
        },
        expected: Expected::of(bytes.len() as u64, digest),
        location: Location::new(["file:///"], name),
        repo: Some(0),
        number: 0,
    };
    Arrived {
        pick,
        file,
        blob,
        usage: Use::First,
    }
}

#[test]
#[allow(clippy::print_stderr, reason = "what is skipped says so")]
fn all_of_filesystem_is_there_as_its_header_has_it() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: all_of_filesystem_is_there_as_its_header_has_it needs root");
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let root = Root::open(temp.path()).unwrap();
    // What is there before gets the package's mode and time too.
    std::fs::create_dir(temp.path().join("proc")).unwrap();
    let arrived = [arrived(FILESYSTEM)];
    let plan = Plan {
        repos: Vec::new(),
        arch: "i686".to_owned(),
        releasever: None,
        wishes: Vec::new(),
        local: Vec::new(),
        local_keys: Arc::default(),
        exclude: Vec::new(),
        weak: true,
        optional: false,
        langs: None,
        no_docs: false,
        configure: false,
        platform: None,
        backend: None,
        usual_backend: None,
        epoch: None,
        lock: None,
    };
    let context = Context::new(Arc::new(Null), Cancel::default());
    let unpacked = place(&arrived, &plan, &root, &[], 2, None, &context).unwrap();
    assert_eq!(unpacked.states[0].len(), 14_508);
    assert!(unpacked.states[0].iter().all(|state| *state == State::Normal));
    let (mut made, mut ghosts) = (0, 0);
    for file in arrived[0].file.header().files().iter() {
        let path = temp.path().join(inside(&file.path()));
        if file.flags.has(bareroot_rpm::FileFlags::GHOST) {
            ghosts += 1;
            continue;
        }
        made += 1;
        let found = std::fs::symlink_metadata(&path).unwrap();
        if file.is_symlink() {
            let link = std::fs::read_link(&path).unwrap();
            assert_eq!(
                std::os::unix::ffi::OsStrExt::as_bytes(link.as_os_str()),
                file.link,
                "{path:?}"
            );
        } else {
            assert_eq!(found.permissions().mode(), file.mode, "{path:?}");
        }
        assert_eq!(found.mtime(), i64::from(file.mtime), "{path:?}");
    }
    assert_eq!((made, made + ghosts), (1_303, 14_508));
}
