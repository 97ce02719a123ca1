//! What a request means for the choice of packages: two requests of one meaning have one lock.
//!
//! What only says from where files come or how a root is made is no part of it: addresses of mirrors, caches, keyrings, hooks,
//! filters. Files of sources count by their content, packages of the user's own by their names: their digests are in the
//! lock, and another content is another package.

use std::path::Path;

use bareroot_depot::lock::{Meaning, Value};
use bareroot_model::Digest;
use sha2::{Digest as _, Sha256};

use crate::bounded;
use crate::error::Error;
use crate::request::{Request, Variant};

/// What stands before the name of a file among wishes.
const FILE: &str = "file ";

/// The meaning of a request.
///
/// # Errors
/// When a file that it names cannot be read.
pub fn meaning(request: &Request) -> Result<Meaning, Error> {
    let mut meaning = Meaning::default();
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let list = |words: &[String]| Some(Value::List(words.to_vec()));
    meaning.set("spec", request.spec.as_deref().and_then(text));
    meaning.set("variant", text(request.variant.word()));
    let wishes: Vec<String> = request.include.iter().map(|wish| wish_of(wish)).collect();
    meaning.set("include", list(&wishes));
    meaning.set("exclude", list(&request.exclude));
    meaning.set("recommends", request.recommends.map(Value::Bool));
    meaning.set(
        "with-optional",
        request.with_optional.then_some(Value::Bool(true)),
    );
    meaning.set("components", list(&request.components));
    // Without the option it depends on whether there is a mirror: what comes of it counts.
    let updates = request
        .spec
        .as_ref()
        .map(|_| request.updates.unwrap_or(request.mirrors.is_empty()));
    meaning.set("updates", updates.map(Value::Bool));
    let entries = request
        .mirrors
        .iter()
        .filter(|mirror| Request::is_entry(mirror))
        .cloned();
    meaning.set("entries", Some(Value::List(entries.collect())));
    meaning.set("sources", files(&request.sources, &request.locked_sources)?);
    meaning.set("repos", files(&request.repos, &request.locked_repos)?);
    meaning.set("releasever", request.releasever.as_deref().and_then(text));
    let snapshot = request.meant_snapshot.as_ref();
    meaning.set(
        "snapshot",
        snapshot.map(|snapshot| Value::Text(snapshot.to_string())),
    );
    Ok(meaning)
}

/// A request of a lock's own meaning. Files of sources are not read again: the lock has what came of them.
pub fn request_of(meaning: &Meaning) -> Request {
    let text = |option: &str| meaning.text(option).map(str::to_owned);
    Request {
        spec: text("spec"),
        variant: text("variant")
            .and_then(|word| Variant::named(&word))
            .unwrap_or_default(),
        include: meaning.list("include").to_vec(),
        exclude: meaning.list("exclude").to_vec(),
        recommends: meaning.switch("recommends"),
        with_optional: meaning.switch("with-optional").unwrap_or(false),
        components: meaning.list("components").to_vec(),
        updates: meaning.switch("updates"),
        mirrors: meaning.list("entries").to_vec(),
        locked_sources: meaning.list("sources").to_vec(),
        locked_repos: meaning.list("repos").to_vec(),
        releasever: text("releasever"),
        meant_snapshot: meaning.text("snapshot").and_then(|text| text.parse().ok()),
        ..Request::default()
    }
}

/// A wish; that of a file by the file's name alone, wherever it is seen from.
fn wish_of(wish: &str) -> String {
    let path = Path::new(wish);
    let is_file = wish.ends_with(".deb") || wish.ends_with(".rpm") || wish.starts_with(['/', '.']);
    match path.file_name().and_then(|name| name.to_str()) {
        Some(name) if is_file && path.is_file() => format!("{FILE}{name}"),
        _ => wish.to_owned(),
    }
}

/// Files by name and content, after those of a lock.
fn files(paths: &[std::path::PathBuf], locked: &[String]) -> Result<Option<Value>, Error> {
    let mut words = locked.to_vec();
    for path in paths {
        let bytes = bounded::read(path).map_err(|source| Error::Read {
            path: path.clone(),
            source,
        })?;
        let digest = Digest::new(Sha256::digest(&bytes).into());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        words.push(format!("{name} sha256:{digest}"));
    }
    Ok(Some(Value::List(words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_a_meaning_means_the_same() {
        let scratch = tempfile::tempdir().unwrap();
        let path = |name: &str| scratch.path().join(name);
        for name in ["x.sources", "own.deb"] {
            std::fs::write(path(name), name).unwrap();
        }
        let request = Request {
            spec: Some("debian:trixie".into()),
            variant: Variant::Buildd,
            include: vec![
                "vim".into(),
                path("own.deb").display().to_string(),
                "none.deb".into(),
            ],
            exclude: vec!["nano".into()],
            recommends: Some(false),
            with_optional: true,
            components: vec!["main".into()],
            mirrors: vec!["http://m".into(), "deb http://e x main".into()],
            sources: vec![path("x.sources")],
            releasever: Some("9".into()),
            snapshot: Some("20260101".parse().unwrap()),
            meant_snapshot: Some("20260101".parse().unwrap()),
            ..Request::default()
        };
        let first = meaning(&request).unwrap();
        assert_eq!(first.list("include"), ["vim", "file own.deb", "none.deb"]);
        assert_eq!(first.switch("updates"), Some(false), "as there is a mirror");
        assert_eq!(first.list("entries"), ["deb http://e x main"]);
        assert_eq!(meaning(&request_of(&first)).unwrap(), first);
        std::fs::write(path("x.sources"), "other").unwrap();
        let changes = first.changes(&meaning(&request).unwrap());
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].option, "sources");
    }

    #[test]
    fn where_files_come_from_means_nothing() {
        let request = |mirror: &str| Request {
            spec: Some("debian:trixie".into()),
            mirrors: vec![mirror.to_owned()],
            snapshot: Some("20260101".parse().unwrap()),
            offline: mirror.len() > 3,
            ..Request::default()
        };
        assert_eq!(
            meaning(&request("a")).unwrap(),
            meaning(&request("http://b/")).unwrap()
        );
    }
}
