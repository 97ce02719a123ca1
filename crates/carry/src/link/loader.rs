//! What a dynamic loader knows by itself: directories, and what its tokens stand for.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::cache;
use crate::elf::Object;
use crate::error::Error;
use crate::path;
use crate::source::Source;

/// The kinds of loaders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// glibc's.
    Glibc,
    /// musl's.
    Musl,
}

/// A dynamic loader, and its configuration in the source.
#[derive(Debug)]
pub(crate) struct Loader {
    pub(crate) family: Family,
    /// The directories that it searches by itself.
    pub(crate) directories: Vec<PathBuf>,
    /// What its cache says, by name; `None` where there is no cache.
    pub(crate) cache: Option<ByName>,
    /// The directories of ld.so.conf, which ldconfig makes the cache of.
    pub(crate) configured: Vec<PathBuf>,
    /// What `$LIB` stands for.
    pub(crate) lib: String,
    /// What `$PLATFORM` may stand for; a processor has one of them.
    pub(crate) platforms: &'static [&'static str],
    /// Directories where a library was found that no other way leads to than the cache.
    by_cache: RefCell<HashSet<PathBuf>>,
}

/// The paths of libraries, by name.
type ByName = HashMap<Vec<u8>, Vec<PathBuf>>;

/// How deep `include` goes in ld.so.conf.
const DEEPEST: usize = 8;

impl Loader {
    /// The one that a program names; the usual one of its machine where it names none.
    pub(crate) fn of(source: &Source, object: &Object) -> Result<Loader, Error> {
        let interpreter = object.interpreter.as_deref().map(path::path);
        let name = interpreter
            .as_deref()
            .map(path::name)
            .unwrap_or_default()
            .to_owned();
        if let Some(arch) = name
            .strip_prefix("ld-musl-")
            .and_then(|rest| rest.strip_suffix(".so.1"))
        {
            return musl(source, arch);
        }
        let own = match &interpreter {
            Some(interpreter) => match source.find_file(interpreter)? {
                Some(found) => trusted(&source.head(&found.path, 4 << 20)?),
                None => Vec::new(),
            },
            None => Vec::new(),
        };
        let directories = if own.is_empty() {
            usual(object.machine.bits)
        } else {
            own
        };
        let lib = directories
            .first()
            .map(|first| path::bytes(first))
            .unwrap_or_default();
        let lib = String::from_utf8_lossy(lib.strip_prefix(b"/").unwrap_or(lib)).into_owned();
        Ok(Loader {
            family: Family::Glibc,
            cache: cached(source)?,
            configured: configured(source)?,
            lib: lib.strip_prefix("usr/").unwrap_or(&lib).to_owned(),
            directories,
            platforms: platforms(object.machine.number),
            by_cache: RefCell::default(),
        })
    }

    /// Whether a name stands for a part of the loader itself (musl is one file).
    pub(crate) fn is_part(&self, name: &[u8]) -> bool {
        let parts = ["c", "pthread", "rt", "m", "dl", "util", "xnet"];
        self.family == Family::Musl
            && name.strip_prefix(b"lib").is_some_and(|rest| {
                parts.iter().any(|part| {
                    rest.strip_prefix(part.as_bytes())
                        .is_some_and(|rest| rest.starts_with(b".so"))
                })
            })
    }

    pub(crate) fn found_by_cache(&self, directory: &Path) {
        self.by_cache.borrow_mut().insert(directory.to_path_buf());
    }

    /// Whether libraries in a directory were found by the cache, where the loader would not look by itself.
    pub(crate) fn by_cache(&self, directory: &Path) -> bool {
        self.by_cache.borrow().contains(directory)
    }
}

fn musl(source: &Source, arch: &str) -> Result<Loader, Error> {
    let text = source.text(Path::new(&format!("/etc/ld-musl-{arch}.path")))?;
    let text = text.unwrap_or_else(|| b"/lib:/usr/local/lib:/usr/lib".to_vec());
    let parts = text
        .split(|byte| matches!(byte, b':' | b'\n'))
        .filter(|part| part.starts_with(b"/"));
    Ok(Loader {
        family: Family::Musl,
        directories: parts.map(path::path).collect(),
        cache: Some(HashMap::new()),
        configured: Vec::new(),
        lib: "lib".to_owned(),
        platforms: &[],
        by_cache: RefCell::default(),
    })
}

/// The directories in a loader's own text: it has them side by side, each with a slash at its end.
fn trusted(bytes: &[u8]) -> Vec<PathBuf> {
    let mut run: Vec<PathBuf> = Vec::new();
    for text in bytes.split(|byte| *byte == 0) {
        let is_directory = text.len() > 4
            && text.len() < 200
            && text.starts_with(b"/")
            && text.ends_with(b"/")
            && text.iter().all(|byte| byte.is_ascii_graphic());
        if is_directory {
            run.push(path::path(text.strip_suffix(b"/").unwrap_or(text)));
        } else if run.len() >= 2 {
            return run;
        } else {
            run.clear();
        }
    }
    Vec::new()
}

fn usual(bits: u8) -> Vec<PathBuf> {
    let wide = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];
    let narrow = ["/lib", "/usr/lib", "/lib32", "/usr/lib32"];
    (if bits == 64 { wide } else { narrow })
        .map(PathBuf::from)
        .to_vec()
}

/// AT_PLATFORM of a machine's processors (getauxval(3)).
fn platforms(machine: u16) -> &'static [&'static str] {
    match machine {
        3 => &["i686", "i586", "i486", "i386"],
        40 => &["v7l", "v8l", "v6l", "v5l"],
        62 => &["x86_64", "haswell", "xeon_phi"],
        183 => &["aarch64"],
        20 | 21 => &["power10", "power9", "power8"],
        22 => &["z16", "z15", "z14", "z13"],
        _ => &[],
    }
}

fn cached(source: &Source) -> Result<Option<ByName>, Error> {
    let Some(bytes) = source.text(Path::new("/etc/ld.so.cache"))? else {
        return Ok(None);
    };
    // The loader takes no notice of a broken one, either.
    let Ok(entries) = cache::read(&bytes) else {
        return Ok(None);
    };
    let mut by_name = ByName::new();
    for entry in entries {
        by_name
            .entry(entry.name)
            .or_default()
            .push(path::path(&entry.path));
    }
    Ok(Some(by_name))
}

/// The directories of ld.so.conf, in its order (ldconfig(8)).
fn configured(source: &Source) -> Result<Vec<PathBuf>, Error> {
    let mut directories = Vec::new();
    read_configuration(source, Path::new("/etc/ld.so.conf"), 0, &mut directories)?;
    Ok(directories)
}

fn read_configuration(
    source: &Source,
    file: &Path,
    depth: usize,
    out: &mut Vec<PathBuf>,
) -> Result<(), Error> {
    let Some(text) = source.text(file)?.filter(|_| depth < DEEPEST) else {
        return Ok(());
    };
    for line in text.split(|byte| *byte == b'\n') {
        let line = line
            .split(|byte| *byte == b'#')
            .next()
            .unwrap_or_default()
            .trim_ascii();
        let words: Vec<&[u8]> = line
            .split(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b':'))
            .filter(|word| !word.is_empty())
            .collect();
        match words.split_first() {
            Some((&b"include", patterns)) => {
                for pattern in patterns {
                    // A relative pattern stands beside the file that it is in.
                    let pattern = path::parent(file).join(path::path(pattern));
                    for included in source.glob(&pattern)? {
                        read_configuration(source, &included, depth + 1, out)?;
                    }
                }
            }
            Some((&b"hwcap", _)) | None => {}
            Some(_) => {
                for word in words.iter().filter(|word| word.starts_with(b"/")) {
                    // `/lib=libc5` says what is in it.
                    let directory = word.split(|byte| *byte == b'=').next().unwrap_or_default();
                    let directory = path::path(directory.strip_suffix(b"/").unwrap_or(directory));
                    if !out.contains(&directory) {
                        out.push(directory);
                    }
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loader_has_its_directories_in_its_text() {
        let text = b"\x7fELF\0\x01/x/\0no\0/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/\0rest\0/a/b/\0/c/d/\0";
        let found: Vec<String> = trusted(text)
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        assert_eq!(
            found,
            [
                "/lib/x86_64-linux-gnu",
                "/usr/lib/x86_64-linux-gnu",
                "/lib",
                "/usr/lib"
            ]
        );
        assert!(trusted(b"nothing\0/lib/\0here").is_empty());
    }
}
