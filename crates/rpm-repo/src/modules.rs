//! modules.yaml: streams of modules and what is their default (modulemd's specification, versions 1 and 2 as
//! libmodulemd reads them).

use std::collections::BTreeMap;
use std::io::{BufRead, Read as _};

use crate::error::Error;
use crate::yaml::{Documents, Node};

/// EL8's AppStream has some ten megabytes.
const LARGEST: u64 = 256 << 20;

/// A build of a stream of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// The module's name.
    pub module: String,
    /// The stream.
    pub stream: String,
    /// The build's version: of two builds the higher one is newer.
    pub version: u64,
    /// Which combination of streams it was built with.
    pub context: String,
    /// The architecture.
    pub arch: String,
    /// Whether the context was chosen by the packager and stays the same from build to build.
    pub static_context: bool,
    /// Modules that it needs, each with the streams that do; none mean any, and a leading `-` means any but these.
    pub requires: Vec<(String, Vec<String>)>,
    /// The NEVRAs of its packages.
    pub artifacts: Vec<String>,
    /// Lists of package names by purpose.
    pub profiles: BTreeMap<String, Vec<String>>,
    /// Names that are no longer the module's.
    pub demodularized: Vec<String>,
}

/// Which stream and profiles of a module are used where the user says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The module's name.
    pub module: String,
    /// When they were made: of two, the later ones count.
    pub modified: u64,
    /// The stream, where there is a default one.
    pub stream: Option<String>,
    /// The profiles of each stream.
    pub profiles: BTreeMap<String, Vec<String>>,
}

/// What a repository's modules.yaml has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modules {
    /// The streams.
    pub streams: Vec<Stream>,
    /// The defaults.
    pub defaults: Vec<Defaults>,
    /// Documents that make no sense, a line for each. dnf goes on without them too.
    pub skipped: Vec<String>,
}

impl Modules {
    /// Reads modules.yaml. `name` is for messages. Documents of other kinds (translations, obsoletes) are passed over.
    ///
    /// # Errors
    /// [`Error::Malformed`] for what is no YAML, and what `input` says.
    pub fn parse(name: &str, input: impl BufRead) -> Result<Modules, Error> {
        let bad = |position: u64, reason: String| Error::Malformed {
            name: name.to_owned(),
            position,
            reason,
        };
        let mut bytes = Vec::new();
        let read = input.take(LARGEST + 1).read_to_end(&mut bytes);
        read.map_err(|source| Error::Read {
            name: name.to_owned(),
            source: bareroot_archive::Error::Read(source),
        })?;
        if bytes.len() as u64 > LARGEST {
            return Err(bad(LARGEST, format!("it has more than {LARGEST} bytes")));
        }
        let text = std::str::from_utf8(&bytes)
            .map_err(|error| bad(error.valid_up_to() as u64, "it is no UTF-8".to_owned()))?;
        let mut modules = Modules::default();
        let mut documents = Documents::new(name, text);
        let mut number = 0usize;
        while let Some(document) = documents.next()? {
            number += 1;
            let field = |key| document.get(key).and_then(Node::text).unwrap_or_default();
            let version: u32 = field("version").parse().unwrap_or_default();
            let empty = Node::Mapping(Vec::new());
            let data = document.get("data").unwrap_or(&empty);
            let result = match (field("document"), version) {
                ("modulemd" | "modulemd-stream", 1..=3) => {
                    stream(data, version).map(|stream| modules.streams.push(stream))
                }
                ("modulemd-defaults", 1) => defaults(data).map(|defaults| modules.defaults.push(defaults)),
                ("modulemd" | "modulemd-stream" | "modulemd-defaults", _) => {
                    Err(format!("its version is `{}`", field("version")))
                }
                _ => Ok(()),
            };
            if let Err(reason) = result {
                modules
                    .skipped
                    .push(format!("document {number} of {name}: {reason}"));
            }
        }
        Ok(modules)
    }
}

fn word(data: &Node, key: &str) -> Option<String> {
    let text = data.get(key).and_then(Node::text)?;
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn number(data: &Node, key: &str) -> Result<u64, String> {
    match word(data, key) {
        None => Ok(0),
        Some(text) => text.parse().map_err(|_| format!("its {key} is `{text}`")),
    }
}

fn stream(data: &Node, version: u32) -> Result<Stream, String> {
    let needed = |key: &str| word(data, key).ok_or_else(|| format!("it has no {key}"));
    let mut profiles = BTreeMap::new();
    for (profile, value) in data.get("profiles").map(Node::pairs).unwrap_or_default() {
        profiles.insert(profile.clone(), texts(value, "rpms"));
    }
    Ok(Stream {
        module: needed("name")?,
        stream: needed("stream")?,
        version: number(data, "version")?,
        context: word(data, "context").unwrap_or_default(),
        arch: word(data, "arch").unwrap_or_else(|| "noarch".to_owned()),
        static_context: version == 3 || word(data, "static_context").as_deref() == Some("true"),
        requires: data.get("dependencies").map(requires).unwrap_or_default(),
        artifacts: data
            .get("artifacts")
            .map(|artifacts| texts(artifacts, "rpms"))
            .unwrap_or_default(),
        profiles,
        demodularized: data
            .get("demodularized")
            .map(|names| texts(names, "rpms"))
            .unwrap_or_default(),
    })
}

fn texts(node: &Node, key: &str) -> Vec<String> {
    node.get(key).map(Node::texts).unwrap_or_default()
}

/// The needs of all entries: a list of entries since version 2, one entry before.
fn requires(dependencies: &Node) -> Vec<(String, Vec<String>)> {
    let entries = match dependencies {
        Node::Sequence(entries) => entries.as_slice(),
        one => std::slice::from_ref(one),
    };
    entries
        .iter()
        .flat_map(|entry| entry.get("requires").map(Node::pairs).unwrap_or_default())
        .map(|(module, streams)| (module.clone(), streams.texts()))
        .collect()
}

fn defaults(data: &Node) -> Result<Defaults, String> {
    let mut profiles = BTreeMap::new();
    for (stream, names) in data.get("profiles").map(Node::pairs).unwrap_or_default() {
        profiles.insert(stream.clone(), names.texts());
    }
    Ok(Defaults {
        module: word(data, "module").ok_or("it has no module")?,
        modified: number(data, "modified")?,
        stream: word(data, "stream"),
        profiles,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "---
document: modulemd
version: 2
data:
  name: perl
  stream: 5.30
  version: 8060020220113
  context: 466ea64f
  arch: x86_64
  summary: Practical Extraction and Report Language
  description: >-
    Perl is a high-level programming language.
  license:
    module: [MIT]
  dependencies:
  - buildrequires:
      platform: [el8.6.0]
    requires:
      platform: [el8]
      openssl: [-1.0]
      any: []
  profiles:
    common:
      description: All core modules.
      rpms:
      - perl
      - perl-core
    minimal:
      rpms: [perl-interpreter]
  demodularized:
    rpms: [perl-old]
  artifacts:
    rpms:
    - perl-4:5.30.1-452.x86_64
    - perl-0:1-1.src
...
---
document: modulemd-defaults
version: 1
data:
  module: perl
  modified: 202001010000
  stream: \"5.26\"
  profiles:
    5.26: [common]
    5.30: [common, minimal]
...
---
document: modulemd-translations
version: 1
data: {module: perl}
---
document: modulemd
version: 1
data:
  name: old
  stream: f26
  dependencies:
    requires: {platform: f26}
---
document: modulemd
version: 2
data: {name: nothing}
---
document: modulemd
version: 9
";

    #[test]
    fn streams_and_defaults() {
        let modules = Modules::parse("modules.yaml", TEXT.as_bytes()).unwrap();
        let [perl, old] = &modules.streams[..] else {
            panic!("{modules:?}")
        };
        assert_eq!((perl.module.as_str(), perl.stream.as_str()), ("perl", "5.30"));
        assert_eq!(
            (perl.version, perl.context.as_str()),
            (8_060_020_220_113, "466ea64f")
        );
        assert_eq!(
            perl.requires,
            [
                ("platform".to_owned(), vec!["el8".to_owned()]),
                ("openssl".to_owned(), vec!["-1.0".to_owned()]),
                ("any".to_owned(), vec![]),
            ]
        );
        assert_eq!(perl.profiles["common"], ["perl", "perl-core"]);
        assert_eq!(perl.demodularized, ["perl-old"]);
        assert_eq!(perl.artifacts.len(), 2);
        assert_eq!(old.requires, [("platform".to_owned(), vec!["f26".to_owned()])]);
        let [defaults] = &modules.defaults[..] else {
            panic!("{modules:?}")
        };
        assert_eq!(defaults.stream.as_deref(), Some("5.26"));
        assert_eq!(defaults.profiles["5.30"], ["common", "minimal"]);
        assert_eq!(
            modules.skipped,
            [
                "document 5 of modules.yaml: it has no stream",
                "document 6 of modules.yaml: its version is `9`"
            ]
        );
    }

    #[test]
    fn what_is_none() {
        for text in [&b"\xff"[..], b"a: [", b"a: &x b\nc: *x\n"] {
            assert!(Modules::parse("modules.yaml", text).is_err());
        }
        assert_eq!(Modules::parse("m", &b""[..]).unwrap(), Modules::default());
    }
}
