//! Where one library is: glibc's elf/dl-load.c and musl's ldso/dynlink.c.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::loader::Family;
use super::{Context, Loaded};
use crate::elf::Object;
use crate::error::Error;
use crate::path;
use crate::source::{Found, Source};

/// Where variants of a library for newer processors are, below the library's own directory.
const HWCAPS: &str = "glibc-hwcaps";

/// A library that was found.
pub(super) struct Hit {
    /// The path by which it was found.
    pub(super) path: PathBuf,
    pub(super) object: Rc<Object>,
    /// Its variants for newer processors. All of them go in: the root may be used on another machine.
    pub(super) variants: Vec<PathBuf>,
}

/// One look-up.
struct Search<'a> {
    source: &'a Source,
    context: &'a Context,
    name: &'a [u8],
    looked: Vec<String>,
}

/// Looks for a library that an object of a process needs; where it is not there, where was looked.
pub(super) fn library(
    source: &Source,
    context: &Context,
    from: usize,
    name: &[u8],
) -> Result<Result<Hit, Vec<String>>, Error> {
    let mut search = Search {
        source,
        context,
        name,
        looked: Vec::new(),
    };
    let Some(loader) = context.loaded.get(from) else {
        return Ok(Err(Vec::new()));
    };
    let hit = if name.contains(&b'/') {
        search.path(loader)?
    } else {
        match context.loader.family {
            Family::Glibc => search.glibc(from, loader)?,
            Family::Musl => search.musl(from)?,
        }
    };
    Ok(hit.ok_or(search.looked))
}

impl Search<'_> {
    /// A name with a slash is a path.
    fn path(&mut self, loader: &Loaded) -> Result<Option<Hit>, Error> {
        for path in self.expand(self.name, loader) {
            if let Some(object) = self.object(&path)? {
                return Ok(Some(Hit {
                    path,
                    object,
                    variants: Vec::new(),
                }));
            }
            self.looked.push(path.display().to_string());
        }
        Ok(None)
    }

    fn glibc(&mut self, from: usize, loader: &Loaded) -> Result<Option<Hit>, Error> {
        // An object with DT_RUNPATH does not see what the objects above it have as DT_RPATH.
        if loader.object.runpath.is_none() {
            let mut at = Some(from);
            let mut seen_main = false;
            while let Some(number) = at {
                seen_main |= number == 0;
                if let Some(hit) = self.rpath(number)? {
                    return Ok(Some(hit));
                }
                at = self.context.loaded.get(number).and_then(|loaded| loaded.parent);
            }
            // What is loaded later sees the program's, too.
            if !seen_main && let Some(hit) = self.rpath(0)? {
                return Ok(Some(hit));
            }
        }
        if let Some(runpath) = &loader.object.runpath
            && let Some(hit) = self.list(runpath, loader)?
        {
            return Ok(Some(hit));
        }
        let own = &self.context.loader;
        let (plain, defaults) = (!loader.object.no_default_directories, &own.directories);
        if let Some(cache) = &own.cache {
            for path in cache.get(self.name).into_iter().flatten() {
                let directory = path::parent(path);
                let is_default = defaults.iter().any(|default| default == directory);
                let is_variant = path.components().any(|part| part.as_os_str() == HWCAPS);
                if is_default && !plain || is_variant {
                    continue;
                }
                if let Some(hit) = self.directory(directory)? {
                    if !is_default {
                        own.found_by_cache(directory);
                    }
                    return Ok(Some(hit));
                }
            }
        }
        if plain {
            for directory in defaults {
                if let Some(hit) = self.directory(directory)? {
                    return Ok(Some(hit));
                }
            }
        }
        // ldconfig has not run since the library came, or never in a root that was only unpacked.
        for directory in own
            .configured
            .iter()
            .filter(|directory| !defaults.contains(directory))
        {
            if let Some(hit) = self.directory(directory)? {
                own.found_by_cache(directory);
                return Ok(Some(hit));
            }
        }
        Ok(None)
    }

    /// musl takes DT_RPATH and DT_RUNPATH alike, and those of the objects above it.
    fn musl(&mut self, from: usize) -> Result<Option<Hit>, Error> {
        let mut at = Some(from);
        while let Some(loaded) = at.and_then(|number| self.context.loaded.get(number)) {
            let paths = loaded.object.runpath.as_ref().or(loaded.object.rpath.as_ref());
            if let Some(paths) = paths
                && let Some(hit) = self.list(paths, loaded)?
            {
                return Ok(Some(hit));
            }
            at = loaded.parent;
        }
        for directory in &self.context.loader.directories {
            if let Some(hit) = self.directory(directory)? {
                return Ok(Some(hit));
            }
        }
        Ok(None)
    }

    fn rpath(&mut self, number: usize) -> Result<Option<Hit>, Error> {
        let Some(loaded) = self.context.loaded.get(number) else {
            return Ok(None);
        };
        match &loaded.object.rpath {
            Some(paths) => self.list(paths, loaded),
            None => Ok(None),
        }
    }

    /// The directories of a DT_RPATH or DT_RUNPATH.
    fn list(&mut self, paths: &[u8], of: &Loaded) -> Result<Option<Hit>, Error> {
        for part in paths.split(|byte| *byte == b':') {
            for directory in self.expand(part, of) {
                if let Some(hit) = self.directory(&directory)? {
                    return Ok(Some(hit));
                }
            }
        }
        Ok(None)
    }

    /// What a path with tokens stands for; nothing where it depends on the directory that a program is started in.
    fn expand(&self, text: &[u8], of: &Loaded) -> Vec<PathBuf> {
        let origin = path::bytes(path::parent(&of.path));
        let platforms = self.context.loader.platforms;
        let platforms: &[&str] = if mentions(text, "PLATFORM") {
            platforms
        } else {
            &[""]
        };
        let expanded = platforms.iter().map(|platform| {
            let mut out = replace(text, "ORIGIN", origin);
            out = replace(&out, "LIB", self.context.loader.lib.as_bytes());
            path::path(&replace(&out, "PLATFORM", platform.as_bytes()))
        });
        expanded.filter(|path| path.is_absolute()).collect()
    }

    /// The library in a directory, where it is one that this process can load.
    fn directory(&mut self, directory: &Path) -> Result<Option<Hit>, Error> {
        let plain = directory.join(path::path(self.name));
        let mut variants = Vec::new();
        if self.context.loader.family == Family::Glibc {
            let hwcaps = directory.join(HWCAPS);
            for level in self.source.names(&hwcaps)? {
                let variant = hwcaps.join(path::path(&level)).join(path::path(self.name));
                if self.object(&variant)?.is_some() {
                    variants.push(variant);
                }
            }
        }
        if let Some(object) = self.object(&plain)? {
            return Ok(Some(Hit {
                path: plain,
                object,
                variants,
            }));
        }
        let there = self.source.find_file(&plain)?.is_some();
        let wrong = if there {
            " (of another machine, or no library)"
        } else {
            ""
        };
        let looked = format!("{}{wrong}", directory.display());
        if !self.looked.contains(&looked) {
            self.looked.push(looked);
        }
        Ok(None)
    }

    fn object(&self, path: &Path) -> Result<Option<Rc<Object>>, Error> {
        let Some(Found { path, .. }) = self.source.find_file(path)? else {
            return Ok(None);
        };
        let main = self.context.loaded.first().map(|main| main.object.machine);
        let object = match self.source.object(&path) {
            Err(Error::Root(error)) if crate::source::is_denied(&error) => return Ok(None),
            result => result?,
        };
        Ok(object
            .ok()
            .filter(|object| object.loadable && Some(object.machine) == main))
    }
}

fn mentions(text: &[u8], token: &str) -> bool {
    [format!("${token}"), format!("${{{token}}}")]
        .iter()
        .any(|word| memchr::memmem::find(text, word.as_bytes()).is_some())
}

/// `$TOKEN` and `${TOKEN}`; the first only where no letter, digit or `_` follows.
fn replace(text: &[u8], token: &str, by: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        if *first == b'$' {
            let braced = after
                .strip_prefix(b"{")
                .and_then(|rest| rest.strip_prefix(token.as_bytes()))
                .and_then(|rest| rest.strip_prefix(b"}"));
            let bare = after.strip_prefix(token.as_bytes()).filter(|rest| {
                !rest
                    .first()
                    .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            });
            if let Some(after) = braced.or(bare) {
                out.extend_from_slice(by);
                rest = after;
                continue;
            }
        }
        out.push(*first);
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        for (text, expected) in [
            ("$ORIGIN/../lib", "/opt/bin/../lib"),
            ("${ORIGIN}lib", "/opt/binlib"),
            ("$ORIGINAL", "$ORIGINAL"),
            ("$ORIGIN", "/opt/bin"),
            ("a$", "a$"),
            ("${ORIGIN", "${ORIGIN"),
        ] {
            assert_eq!(
                replace(text.as_bytes(), "ORIGIN", b"/opt/bin"),
                expected.as_bytes(),
                "{text}"
            );
        }
        assert!(mentions(b"/x/${PLATFORM}", "PLATFORM") && !mentions(b"/x", "PLATFORM"));
    }
}
