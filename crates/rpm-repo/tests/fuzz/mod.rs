//! What the fuzz targets of this crate do with their input. `mutate.rs` runs the same over seeded mutations, so that
//! they also run where there is no nightly compiler.
//!
//! Each body may refuse its input; it may not panic, and what it takes has to survive being written and read again.

use std::collections::HashSet;

use bareroot_rpm_repo::comps::Comps;
use bareroot_rpm_repo::modules::Modules;
use bareroot_rpm_repo::repofile::RepoFile;
use bareroot_rpm_repo::repomd::{DataKind, Digests, Repomd};
use bareroot_rpm_repo::variables::Variables;
use bareroot_rpm_repo::{Index, RelationKind, filelists, metalink, mirrorlist};

/// A repomd.xml.
pub fn repomd(data: &[u8]) {
    let Ok(repomd) = Repomd::parse("fuzz", data) else {
        return;
    };
    for kind in [DataKind::Primary, DataKind::Filelists, DataKind::Group] {
        let Some(data) = repomd.best(kind) else {
            continue;
        };
        assert!(!data.location.is_empty());
        if let Ok(expected) = data.expected("fuzz", Digests::Strong) {
            assert!(expected.sha1().is_none());
            assert!(expected.sha256().is_some() || expected.sha512().is_some());
        }
        let _ = data.expected("fuzz", Digests::Old);
    }
}

/// A primary.xml, to the cache's form and back.
pub fn primary(data: &[u8]) {
    for arch in ["x86_64", "i686"] {
        let Ok(index) = Index::read("fuzz", data, arch) else {
            return;
        };
        look_at(&index);
        let again = Index::from_bytes(&index.to_bytes()).expect("just written");
        assert_eq!(again.to_bytes(), index.to_bytes());
    }
}

/// The cache's form of a repository's packages.
pub fn cached_primary(data: &[u8]) {
    let Ok(index) = Index::from_bytes(data) else {
        return;
    };
    look_at(&index);
    let again = Index::from_bytes(&index.to_bytes()).expect("just written");
    assert_eq!(again.len(), index.len());
}

fn look_at(index: &Index) {
    assert_eq!(index.packages().count(), index.len());
    for package in index.packages() {
        let _ = (
            package.nevra(),
            package.evr_text(),
            package.location(),
            package.base(),
        );
        let _ = (
            package.size(),
            package.checksum().kind.len(),
            package.header_range(),
        );
        for kind in RelationKind::ALL {
            for relation in package.relations(kind) {
                let _ = relation.to_string();
            }
        }
        let _ = package.files().count();
    }
}

/// A list of all files.
pub fn file_lists(data: &[u8]) {
    let wanted: HashSet<String> = ["/usr/bin/x", "/y"].map(str::to_owned).into();
    if let Ok(found) = filelists::find("fuzz", data, &wanted) {
        assert!(found.iter().all(|(_, path)| wanted.contains(path)));
    }
}

/// Groups.
pub fn comps(data: &[u8]) {
    let Ok(comps) = Comps::parse("fuzz", data) else {
        return;
    };
    for group in &comps.groups {
        assert!(comps.group(&group.id).is_some());
        let _ = group.is_called("Core");
    }
    for environment in &comps.environments {
        let _ = environment.is_called("Minimal Install");
    }
}

/// Module streams and defaults.
pub fn modules(data: &[u8]) {
    let Ok(modules) = Modules::parse("fuzz", data) else {
        return;
    };
    for stream in &modules.streams {
        assert!(!stream.module.is_empty() && !stream.stream.is_empty());
    }
    assert!(
        modules
            .defaults
            .iter()
            .all(|defaults| !defaults.module.is_empty())
    );
}

/// A metalink, or a list of mirrors.
pub fn mirrors(data: &[u8]) {
    if metalink::is_metalink(data)
        && let Ok(metalink) = metalink::parse("fuzz", data)
    {
        let _ = metalink.base_urls().count();
    }
    let _ = mirrorlist::parse(data);
}

/// A .repo file, its variables expanded.
pub fn repo_file(data: &[u8]) {
    let Ok(file) = RepoFile::parse("fuzz", data) else {
        return;
    };
    let variables = Variables::new("x86_64", Some("9"));
    for repo in &file.repos {
        for url in repo.baseurl.iter().chain(&repo.mirrorlist).chain(&repo.metalink) {
            let _ = variables.expand(url);
        }
    }
}
