//! Records package files, and keys (.asc), in a database of their own, without their files: for comparisons with `rpm -i --justdb`, and
//! for measuring.
//!
//! `record DIRECTORY TIME COLOR LANGS|all docs|nodocs FILE...`

use std::path::Path;
use std::time::Instant;

use bareroot_model::Digest;
use bareroot_rpm::blob::{self, Install};
use bareroot_rpm::{FileChoice, KeyName, Limits, PackageFile, Pubkey};
use bareroot_rpm_db::{Backend, Database};
use bareroot_trust::{Blob, CertKey, Certificate, Keyring};

#[expect(clippy::print_stdout, reason = "the figure is what it is for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, time, color, langs, docs, files @ ..] = arguments.as_slice() else {
        return Err("usage: record DIRECTORY TIME COLOR LANGS|all docs|nodocs FILE...".into());
    };
    let choice = FileChoice {
        no_docs: docs == "nodocs",
        langs: (langs != "all").then(|| langs.split(':').map(str::to_owned).collect()),
        color: color.parse()?,
    };
    let time: u32 = time.parse()?;
    let (mut packages, mut keys) = (Vec::new(), Vec::new());
    for name in files {
        if name.ends_with(".asc") {
            keys.extend(Keyring::from_paths(&[name.into()])?.certificates());
            continue;
        }
        let file = std::fs::File::open(name)?;
        let size = file.metadata()?.len();
        let blob = Blob::new(file, size, Digest::new([0; 32]), name.as_str());
        packages.push(PackageFile::open(&blob, &Limits::default())?);
    }
    let began = Instant::now();
    let mut database = Database::create(Backend::Sqlite)?;
    let mut transaction = time;
    for key in &keys {
        database.add(&pubkey(key).stored(time, "4.18.0"))?;
    }
    for package in &packages {
        let states = choice.states(&package.header().files());
        database.add(&blob::stored(
            package,
            &Install {
                time: transaction,
                transaction: time,
                color: choice.color,
                states: states.into_iter().map(|state| state as u8).collect(),
            },
        ))?;
        transaction += 1;
    }
    for file in database.finish()? {
        std::fs::write(Path::new(directory).join(file.name), file.bytes)?;
    }
    println!(
        "{} packages and {} keys in {:?}",
        packages.len(),
        keys.len(),
        began.elapsed()
    );
    Ok(())
}

fn pubkey(key: &Certificate) -> Pubkey<'_> {
    let name = |key: &CertKey| KeyName {
        id: key.id,
        created: key.created,
    };
    Pubkey {
        packets: &key.packets,
        primary: name(&key.primary),
        user: key.user.as_deref(),
        subkeys: key.signing_subkeys.iter().map(name).collect(),
    }
}
