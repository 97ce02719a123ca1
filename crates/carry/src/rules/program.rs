//! A program: an ELF file, or a script.

use std::path::{Path, PathBuf};

use crate::collect::{Collector, Pending, Why};
use crate::elf::Malformed;
use crate::error::Error;
use crate::path;
use crate::rule::Rule;
use crate::source::{Found, PATH};

/// How much of a script is looked at for its first line (BINPRM_BUF_SIZE is 256).
const FIRST_LINE: u64 = 4096;

/// Programs that choose what they run in a way that neither their text nor their package tells.
const KNOWN: &[(&str, &[&str])] = &[
    // Debian's wrapper of PostgreSQL's clients: one of the installed versions.
    (
        "pg_wrapper",
        &[
            "/usr/lib/postgresql",
            "/usr/share/postgresql",
            "/etc/postgresql-common",
        ],
    ),
];

impl Collector<'_> {
    /// Takes a program that must be there.
    pub(crate) fn take_program(&mut self, word: &str, why: &Why) -> Result<(), Error> {
        let Some((asked, found)) = self.source.find_program(word)? else {
            return Err(self.no_program(word)?);
        };
        self.add(&asked, why)?;
        if !self.first(Rule::Program, &found.path) {
            return Ok(());
        }
        // Whatever goes in as data later has been looked at.
        self.first(Rule::Library, &found.path);
        let head = self.source.head(&found.path, FIRST_LINE)?;
        if let Some(line) = head.strip_prefix(b"#!") {
            self.script(&found, line)?;
        } else {
            self.binary(&found, &head)?;
        }
        self.about_program(&asked, &found)
    }

    /// Takes a program that a rule asks for: what is wrong with it is a warning.
    pub(crate) fn take_optional(&mut self, word: &str, why: &Why) -> Result<(), Error> {
        match self.take_program(word, why) {
            Err(
                error @ (Error::NoLibrary { .. } | Error::NoInterpreter { .. } | Error::Malformed { .. }),
            ) => {
                self.warn(error.to_string());
                Ok(())
            }
            Err(Error::NoProgram { .. } | Error::NotAProgram { .. }) => Ok(()),
            Err(Error::Root(error)) if crate::source::is_denied(&error) => {
                self.warn(format!("`{word}` is left out: this user may not read it"));
                Ok(())
            }
            result => result,
        }
    }

    fn no_program(&self, word: &str) -> Result<Error, Error> {
        if let Some(found) = self.source.find(&Path::new("/").join(word))?
            && word.contains('/')
        {
            return Ok(Error::NotAProgram {
                path: found.path,
                found: found.stat.kind.words().to_owned(),
            });
        }
        Ok(Error::NoProgram {
            program: word.to_owned(),
            source_root: self.source.root.path().to_path_buf(),
            searched: match word.contains('/') {
                true => Vec::new(),
                false => PATH.map(str::to_owned).to_vec(),
            },
        })
    }

    fn binary(&mut self, found: &Found, head: &[u8]) -> Result<(), Error> {
        let path = || found.path.clone();
        let object = match self.source.object(&found.path)? {
            Ok(object) => object,
            Err(Malformed::NotElf) => {
                let found = match head {
                    [] => "an empty file".to_owned(),
                    [0x1f, 0x8b, ..] => "a file compressed with gzip".to_owned(),
                    text if text
                        .iter()
                        .all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) =>
                    {
                        "a text".to_owned()
                    }
                    other => format!("a file that begins with {:02x?}", other.get(..4).unwrap_or(other)),
                };
                return Err(Error::NotAProgram { path: path(), found });
            }
            Err(source) => return Err(Error::Malformed { path: path(), source }),
        };
        if !object.loadable {
            let found = "an ELF file for a linker or a debugger".to_owned();
            return Err(Error::NotAProgram { path: path(), found });
        }
        self.program = found.path.clone();
        self.link_program(found, &object)
    }

    /// The interpreter of a script, and what env(1) runs for it.
    fn script(&mut self, found: &Found, line: &[u8]) -> Result<(), Error> {
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line).into_owned();
        let mut words = line.split_whitespace();
        let missing = |interpreter: &str| Error::NoInterpreter {
            path: found.path.clone(),
            interpreter: interpreter.to_owned(),
        };
        let why = Why::new(Rule::Script, &found.path);
        let interpreter = words
            .next()
            .filter(|word| word.starts_with('/'))
            .ok_or_else(|| missing(line.trim()))?;
        let mut wanted = vec![interpreter];
        if path::name(Path::new(interpreter)) == "env" {
            wanted.extend(words.find(|word| !word.starts_with('-') && !word.contains('=')));
        }
        for word in wanted {
            if self.source.find_program(word)?.is_none() {
                return Err(missing(word));
            }
            self.take_program(word, &why)?;
        }
        Ok(())
    }

    /// Rules that go by what a program is called, what it names and whose it is.
    fn about_program(&mut self, asked: &Path, found: &Found) -> Result<(), Error> {
        if !self.data {
            return Ok(());
        }
        let name = path::name(&found.path).to_owned();
        let why = |rule| Why::new(rule, &found.path);
        if name.starts_with("python") {
            self.python(&found.path, &why(Rule::Python))?;
        } else if name.starts_with("perl") {
            self.perl(&found.path, &why(Rule::Perl))?;
        } else if name.starts_with("ruby") {
            self.ruby(&found.path, &why(Rule::Ruby))?;
        } else if super::compiler::is_compiler(&name) {
            self.compiler(&found.path, &why(Rule::Compiler))?;
        }
        for (known, places) in KNOWN {
            if name == *known {
                for place in *places {
                    self.tree(place, &why(Rule::Named))?;
                }
            }
        }
        self.named(&found.path)?;
        // Its own libraries, which are not for others: `libnode` of `node`.
        for library in self.own_libraries(&name) {
            self.named(&library)?;
        }
        let mut owners = vec![found.path.clone()];
        owners.extend(found.links.iter().cloned());
        owners.push(asked.to_path_buf());
        for owner in owners {
            // Of the links on the way some are of directories, as /bin of a merged /usr: every package has those.
            if self.source.find(&owner)?.is_some_and(|found| !found.is_dir()) {
                self.package(&owner, &why(Rule::Package))?;
            }
        }
        Ok(())
    }

    fn own_libraries(&self, program: &str) -> Vec<PathBuf> {
        let stem: String = program.chars().take_while(|c| c.is_ascii_alphabetic()).collect();
        if stem.len() < 3 {
            return Vec::new();
        }
        let prefix = format!("lib{stem}");
        self.items
            .keys()
            .filter(|path| path::name(path).starts_with(&prefix))
            .cloned()
            .collect()
    }

    /// Files of `--file`: a file with what the object in it needs, or all of a directory.
    pub(crate) fn take_file(&mut self, wanted: &Path) -> Result<(), Error> {
        let why = Why {
            rule: Rule::File,
            by: "--file".into(),
        };
        let absolute = Path::new("/").join(wanted);
        match self.source.find(&absolute)? {
            None => Err(Error::NoFile {
                path: wanted.display().to_string(),
                source_root: self.source.root.path().to_path_buf(),
            }),
            Some(found) if found.is_dir() => self.tree(&absolute, &why).map(drop),
            Some(found) => {
                self.add_file(&absolute, &why)?;
                if self.source.head(&found.path, 2)? == b"#!" {
                    let word = found.path.display().to_string();
                    self.pending.push_back(Pending::Optional(word, why));
                }
                Ok(())
            }
        }
    }
}
