//! `bareroot rpmdb`: rpm's databases of any kind.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use bareroot_bootstrap::rpmdb::{
    self, Backend, ByteOrder, Contents, Exchanged, Found, Record, dump, header_list,
};
use bareroot_bootstrap::{Error, mode_for};
use bareroot_enter::mode::Choice;
use bareroot_rpm::{Header, Tag, blob};
use serde_json::{Value, json};

use crate::args::{Rpmdb, RpmdbKind, RpmdbVerb};
use crate::exit::Failure;
use crate::text;

/// How the verb comes by root's rights. Without a word about it nobody needs any for what is this user's, or root's, whom
/// nobody else can be; a database of other ids may be that of a root whose ids are subordinate to this user's.
pub fn mode(verb: &Rpmdb) -> Option<Choice> {
    let own = rustix::process::geteuid();
    let is_needed = match (verb.mode, std::fs::metadata(verb.db())) {
        (Choice::Only(_), _) => true,
        _ if own.is_root() => false,
        (Choice::Auto, Ok(metadata)) => ![0, own.as_raw()].contains(&metadata.uid()),
        (Choice::Auto, Err(error)) => error.kind() == ErrorKind::PermissionDenied,
    };
    is_needed.then(|| mode_for(verb.db(), verb.mode))
}

/// Does one of the things that can be done with a database.
pub fn run(verb: &Rpmdb) -> Result<(), Failure> {
    match &verb.what {
        RpmdbVerb::List { db, json } => list(db, *json),
        RpmdbVerb::Verify { db } => verify(db),
        RpmdbVerb::Convert { db, kind } => convert(db, kind),
        RpmdbVerb::Dump { db, print } => {
            let form = match print {
                true => dump::Form::Print,
                false => dump::Form::Bytes,
            };
            output(dump::text(&Found::open(db)?.load()?.read()?, form).as_bytes())
        }
        RpmdbVerb::Load {
            dump: file,
            db,
            kind,
            force,
        } => {
            let contents = dump::parse(&file.to_string_lossy(), &input(file)?).map_err(Error::from)?;
            place(db, &contents, kind, *force)
        }
        RpmdbVerb::Export { db } => output(&header_list::bytes(&Found::open(db)?.load()?.read()?)),
        RpmdbVerb::Import {
            list,
            db,
            kind,
            force,
        } => {
            let bytes = input(list)?;
            let headers = header_list::parse(&list.to_string_lossy(), &bytes).map_err(Error::from)?;
            let records = headers.into_iter().zip(1..);
            let stored = records.map(|(blob, number)| Record {
                number,
                blob: blob.into(),
            });
            let contents = Contents::new(stored.collect());
            place(db, &contents, kind, *force)
        }
    }
}

fn list(db: &Path, as_json: bool) -> Result<(), Failure> {
    let loaded = Found::open(db)?.load()?;
    let contents = loaded.read()?;
    let mut words = String::new();
    let mut packages: Vec<Value> = Vec::new();
    for record in contents.records() {
        let header =
            blob::parse(&format!("record {}", record.number), &record.blob.bytes()).map_err(Error::from)?;
        match as_json {
            true => packages.push(package(record.number, &header)),
            false => {
                let _ = writeln!(words, "{}", text::visible(&name(&header)));
            }
        }
    }
    if as_json {
        let order = (contents.backend == Backend::Bdb).then_some(match contents.order {
            ByteOrder::Little => "little",
            ByteOrder::Big => "big",
        });
        let backend = contents.backend.word();
        let document = json!({ "backend": backend, "byte_order": order, "packages": packages });
        words = text::visible_json(&format!("{document}\n"));
    }
    text::to_stdout(&words);
    Ok(())
}

/// `name-version-release.arch`, as `rpm -qa` has it: keys have no architecture.
fn name(header: &Header) -> String {
    let nevra = header.nevra();
    let name = format!("{}-{}-{}", nevra.name, nevra.version, nevra.release);
    match nevra.arch.is_empty() {
        true => name,
        false => format!("{name}.{}", nevra.arch),
    }
}

fn package(number: u32, header: &Header) -> Value {
    let nevra = header.nevra();
    json!({
        "number": number,
        "name": nevra.name,
        "epoch": nevra.epoch,
        "version": nevra.version,
        "release": nevra.release,
        "architecture": Some(nevra.arch).filter(|arch| !arch.is_empty()),
        "install_time": header.number(Tag::INSTALLTIME),
    })
}

fn verify(db: &Path) -> Result<(), Failure> {
    let loaded = Found::open(db)?.load()?;
    let (contents, findings) = loaded.verify()?;
    let headers = contents.records().len();
    if findings.is_empty() {
        text::to_stdout(&format!(
            "{}: {headers} headers, {}, sound\n",
            db.display(),
            contents.backend
        ));
        return Ok(());
    }
    for finding in &findings {
        text::to_stderr(&text::visible(&format!("{finding}\n")));
    }
    Err(Failure::Unsound {
        path: db.display().to_string(),
        count: findings.len(),
        headers,
    })
}

fn convert(db: &Path, kind: &RpmdbKind) -> Result<(), Failure> {
    match Found::open(db)?.convert(kind.to, kind.byte_order)? {
        (_, Some(exchanged)) => say(&exchanged),
        (backend, None) => text::to_stdout(&format!("{} is of kind {backend} already\n", db.display())),
    }
    Ok(())
}

fn place(db: &Path, contents: &Contents<'_>, kind: &RpmdbKind, force: bool) -> Result<(), Failure> {
    let order = kind.byte_order.unwrap_or(contents.order);
    say(&rpmdb::place(db, contents, kind.to, order, force)?);
    Ok(())
}

fn say(exchanged: &Exchanged) {
    let Exchanged {
        directory,
        backend,
        headers,
        aside,
    } = exchanged;
    let mut words = format!("{}: {headers} headers, {backend}\n", directory.display());
    if let Some(aside) = aside {
        let _ = writeln!(words, "the old files are in {}", aside.display());
    }
    text::to_stdout(&text::visible(&words));
}

fn input(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = match path == Path::new("-") {
        true => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            read.map(|_| bytes)
        }
        false => std::fs::read(path),
    };
    read.map_err(|source| Failure::Input {
        path: path.display().to_string(),
        source,
    })
}

/// Writes bytes to standard output; whoever closed it has had enough.
fn output(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => Err(Failure::Output {
            path: "standard output".into(),
            source,
        }),
        _ => Ok(()),
    }
}
