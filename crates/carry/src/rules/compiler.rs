//! What a C compiler's driver runs, and what its programs read and link.

use std::path::Path;

use crate::collect::{Collector, Why};
use crate::error::Error;
use crate::path;

/// The C library's parts for linking: with these stems, as `.so`, `.a` and `_nonshared.a`.
const LIBRARIES: [&str; 11] = [
    "c",
    "m",
    "mvec",
    "dl",
    "pthread",
    "rt",
    "util",
    "resolv",
    "crypt",
    "anl",
    "BrokenLocale",
];

/// Whether a name is one of a compiler's driver: `gcc`, `x86_64-linux-gnu-gcc-12`, `clang`, `g++`.
pub(super) fn is_compiler(name: &str) -> bool {
    let without_version = name
        .trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')
        .trim_end_matches('-');
    let last = without_version.rsplit('-').next().unwrap_or_default();
    ["gcc", "g++", "cc", "c++", "cpp", "clang", "clang++"].contains(&last)
}

impl Collector<'_> {
    pub(super) fn compiler(&mut self, program: &Path, why: &Why) -> Result<(), Error> {
        // The driver looks for its programs and for libgcc beside its own prefix.
        for top in [
            "/usr/lib",
            "/usr/libexec",
            "/usr/lib64",
            "/usr/local/lib",
            "/usr/local/libexec",
        ] {
            self.tree(Path::new(top).join("gcc"), why)?;
        }
        for tool in ["as", "ld"] {
            self.want_program(tool, why)?;
            // A compiler for another machine has tools with its prefix.
            if let Some((prefix, _)) = path::name(program).split_once("-gcc") {
                self.want_program(&format!("{prefix}-{tool}"), why)?;
            }
        }
        self.tree("/usr/include", why)?;
        for directory in self.directory_of("libc.so.6") {
            let place = Path::new("/usr").join(crate::source::relative(&directory));
            for directory in [directory, place] {
                self.parts_for_linking(&directory, why)?;
            }
        }
        Ok(())
    }

    fn parts_for_linking(&mut self, directory: &Path, why: &Why) -> Result<(), Error> {
        for name in self.source.names(directory)? {
            let name = String::from_utf8_lossy(&name).into_owned();
            let stem = name
                .strip_prefix("lib")
                .and_then(|rest| rest.split(['.', '-', '_']).next());
            let is_start = name.ends_with(".o");
            let is_library = stem.is_some_and(|stem| LIBRARIES.contains(&stem))
                && (name.ends_with(".so") || name.ends_with(".a"));
            if !is_start && !is_library {
                continue;
            }
            let file = directory.join(&name);
            self.add_file(&file, why)?;
            // What has the name of a library may be a text for the linker that names others.
            if let Some(text) = self.source.text(&file)?.filter(|text| text.len() < 4096) {
                for named in super::named::paths(&text) {
                    self.add_file(path::path(&named), why)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_of_compilers() {
        for (name, is) in [
            ("gcc", true),
            ("x86_64-linux-gnu-gcc-12", true),
            ("g++-12", true),
            ("clang-19", true),
            ("cc", true),
            ("gcc-ar-12", false),
            ("ccache", false),
            ("bash", false),
        ] {
            assert_eq!(super::is_compiler(name), is, "{name}");
        }
    }
}
