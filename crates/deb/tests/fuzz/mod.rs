//! What the fuzz targets of this crate do with their input. `mutate.rs` runs the same over seeded mutations, so that
//! they also run where there is no nightly compiler.
//!
//! Each body may refuse its input; it may not panic, and what it takes has to survive being written and read again.

use std::cmp::Ordering;
use std::io::{Read, Write};
use std::time::{Duration, SystemTime};

use bareroot_deb::archive::{Deb, InfoLimits, PayloadLimits};
use bareroot_deb::packages::{Index, IndexInfo, Limits};
use bareroot_deb::relation::{self, groups};
use bareroot_deb::release::{Dates, Release};
use bareroot_deb::{deb822, host_apt, sources, version};
use bareroot_model::Digest;
use bareroot_trust::{Blob, Verified};

/// A `Packages` file.
pub fn packages(data: &[u8]) {
    let limits = Limits {
        stanza: 1 << 20,
        text: 1 << 20,
        stanzas: 1000,
    };
    let info = || IndexInfo::new(0, "fuzz");
    let Ok(index) = Index::read(data, info(), limits) else {
        return;
    };
    for stanza in index.iter() {
        let _ = (
            stanza.size(),
            stanza.sha256(),
            stanza.sha512(),
            stanza.source_version(),
        );
        if let Ok(path) = stanza.filename() {
            assert!(!path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | "..")));
        }
        assert!(
            index
                .by_name(stanza.name())
                .any(|found| found.id() == stanza.id())
        );
        for group in groups(stanza.provides()) {
            let provided = relation::parse(group.text()).expect("judged while the index was read");
            assert!(
                index
                    .providers(provided.name)
                    .any(|(found, _)| found.id() == stanza.id())
            );
        }
    }
    let again = Index::from_bytes(index.to_bytes(), info()).expect("just written");
    assert!(again == index);
}

/// A parsed index from a cache.
pub fn cached_index(data: &[u8]) {
    let Ok(index) = Index::from_bytes(data.to_vec(), IndexInfo::new(0, "fuzz")) else {
        return;
    };
    for stanza in index.iter() {
        let _ = (
            stanza.filename(),
            stanza.size(),
            stanza.sha256(),
            stanza.sha512(),
            stanza.section(),
        );
        assert!(index.by_name(stanza.name()).count() <= index.len());
        index.providers(stanza.name()).count();
    }
    assert!(Index::from_bytes(index.to_bytes(), IndexInfo::new(0, "fuzz")).is_ok_and(|again| again == index));
}

/// A `Release` file.
pub fn release(data: &[u8]) {
    let Ok(release) = Release::parse("fuzz", data) else {
        return;
    };
    for (path, listed) in release.files() {
        assert!(!path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | "..")));
        assert!(listed.sha256.is_some() || listed.sha512.is_some());
    }
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let _ = release.check("trixie", &Dates::strict(now));
    let max_age = Some(Duration::from_secs(u64::MAX));
    release.expires(&Dates {
        min_age: max_age,
        max_age,
        ..Dates::strict(now)
    });
    for component in release.components.iter().map(String::as_str).chain(["main"]) {
        for candidate in release.packages(component, "amd64") {
            assert!(candidate.by_hash().contains("by-hash/"));
        }
    }
}

/// Versions, one a line.
pub fn versions(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let all: Vec<&str> = text.split('\n').take(8).collect();
    for a in &all {
        let _ = version::validate(a);
        assert!(a.ends_with(version::without_epoch(a)));
        assert_eq!(version::compare(a, a), Ordering::Equal);
        for b in &all {
            assert_eq!(
                version::compare(a, b),
                version::compare(b, a).reverse(),
                "{a} and {b}"
            );
            for c in &all {
                if version::compare(a, b).is_le() && version::compare(b, c).is_le() {
                    assert!(version::compare(a, c).is_le(), "{a}, {b} and {c}");
                }
            }
        }
    }
}

/// A relationship field.
pub fn relations(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(parsed) = relation::parse_groups(&text) else {
        return;
    };
    for relation in parsed.into_iter().flatten() {
        let written = relation.to_string();
        assert_eq!(
            relation::parse(&written).expect("just written"),
            relation,
            "{written}"
        );
        let _ = (relation.admits("1.0"), relation.holds_on("amd64"));
    }
}

/// Sources in both formats.
pub fn sources(data: &[u8]) {
    for parsed in [
        sources::parse_one_line("fuzz", data),
        sources::parse_deb822("fuzz", data),
    ] {
        let Ok(parsed) = parsed else { continue };
        // Not all that one format can say can be said in the other.
        if let Ok(text) = sources::render(&parsed) {
            assert_eq!(
                sources::parse_deb822("fuzz", text.as_bytes()).expect("just written"),
                parsed,
                "{text}"
            );
        }
    }
}

/// Paragraphs, and a configuration of apt.
pub fn control(data: &[u8]) {
    let mut last = 0;
    for paragraph in deb822::paragraphs("fuzz", data).map_while(Result::ok) {
        for field in paragraph.fields() {
            assert!(field.line > last && !field.name.is_empty());
            last = field.line;
        }
    }
    deb822::paragraphs_with_comments("fuzz", data).for_each(drop);
    let _ = host_apt::Config::default().parse(data);
}

/// A package archive, from its container to the last byte of its payload.
pub fn debfile(data: &[u8]) {
    let limits = PayloadLimits {
        decoder: bareroot_archive::Limits {
            output: 1 << 20,
            memory: 16 << 20,
        },
        ..PayloadLimits::default()
    };
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(data).expect("a temporary file can be written");
    // Nobody looks at the digest of a file that the user named.
    let digest = Digest::new([0; 32]);
    let blob = Verified::local(Blob::new(file, data.len() as u64, digest, "fuzz"));
    let Ok(deb) = Deb::open(&blob, &InfoLimits::default()) else {
        return;
    };
    let named = deb.info.iter().map(|file| file.name.as_str());
    assert!(named.clone().all(|name| !name.is_empty() && !name.contains('/')));
    let _ = (deb.digests(), deb.conffiles());
    let control = &deb.control;
    let checked = deb.check_against(control.package(), control.version(), control.architecture());
    assert!(checked.is_ok(), "{checked:?}");
    let Ok(payload) = deb.payload(&blob, limits) else {
        return;
    };
    let mut payload = payload.into_inner();
    while let Ok(Some(entry)) = payload.next_entry() {
        let mut content = Vec::new();
        if payload.read_to_end(&mut content).is_ok() {
            assert_eq!(content.len() as u64, entry.size);
        }
    }
}
