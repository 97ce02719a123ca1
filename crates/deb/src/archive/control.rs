use super::stanza;
use crate::version;

/// The `control` member of a package: who it is and what dpkg will know of it.
///
/// Fields keep their order and raw values, because [`record`](crate::record) must write what dpkg would write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    fields: Vec<(String, Vec<u8>)>,
    package: String,
    version: String,
    architecture: String,
    multi_arch_same: bool,
}

/// Fields that belong to dpkg's own records; a package that has one is refused, as by dpkg.
const RECORDS_ONLY: [&str; 4] = ["Status", "Config-Version", "Triggers-Pending", "Triggers-Awaited"];

impl Control {
    /// Reads a control file by dpkg's rules: exactly one stanza, no field twice, a legal name, version and
    /// architecture.
    ///
    /// # Errors
    ///
    /// What is wrong, as the end of a sentence about the control file.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let mut rest = text;
        let read = stanza::next(&mut rest)?.ok_or("it is empty")?;
        if stanza::next(&mut rest)?.is_some() {
            return Err("it has more than one stanza".into());
        }
        let needed = |name: &'static str| {
            let value = read
                .get(name)
                .filter(|v| !v.is_empty())
                .ok_or_else(|| format!("it has no `{name}`"))?;
            std::str::from_utf8(value).map_err(|_| format!("its `{name}` is not text"))
        };
        // dpkg's hash table of names folds them to lower case, and the folded name is what it writes.
        let package = needed("Package")?.to_ascii_lowercase();
        if !is_name(&package) {
            return Err(format!(
                "its `Package` is not a package name: `{}`",
                clip(&package)
            ));
        }
        let version = needed("Version")?;
        version::validate(version).map_err(|error| format!("its `Version` is wrong: {error}"))?;
        let architecture = needed("Architecture")?;
        if !is_architecture(architecture) {
            return Err(format!(
                "its `Architecture` is not an architecture: `{}`",
                clip(architecture)
            ));
        }
        if let Some(field) = RECORDS_ONLY.into_iter().find(|name| read.get(name).is_some()) {
            return Err(format!(
                "it has the field `{field}`, which only dpkg's own records may have"
            ));
        }
        if let Some((name, _)) = read.fields.iter().find(|(name, _)| name.len() < 2) {
            return Err(format!("the field name `{name}` is too short"));
        }
        let multi_arch_same = read
            .get("Multi-Arch")
            .is_some_and(|v| v.eq_ignore_ascii_case(b"same"));
        if multi_arch_same && architecture == "all" {
            return Err("it is `Multi-Arch: same` and `Architecture: all`".into());
        }
        let fields = read
            .fields
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_vec()))
            .collect();
        let (version, architecture) = (version.to_owned(), architecture.to_owned());
        Ok(Control {
            fields,
            package,
            version,
            architecture,
            multi_arch_same,
        })
    }

    /// The package's name.
    pub fn package(&self) -> &str {
        &self.package
    }

    /// The version as the package spells it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The architecture; `all` for what runs everywhere.
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// Whether it is `Multi-Arch: same`: several architectures of it can be installed at once, so its files in
    /// `info/` carry the architecture.
    pub fn is_multi_arch_same(&self) -> bool {
        self.multi_arch_same
    }

    /// A field's raw value by its name in any case; continuation lines keep their leading space.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.fields()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// A field's value as text; `None` also when it is not UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// All fields in the package's order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// What the files in `info/` and the lines in `triggers/` call the package: `libc6:amd64` for `Multi-Arch: same`,
    /// `dpkg` for all others.
    pub fn record_name(&self) -> String {
        if self.multi_arch_same {
            format!("{}:{}", self.package, self.architecture)
        } else {
            self.package.clone()
        }
    }
}

/// dpkg's idea of a package name; Policy's is narrower, but old packages have capitals and underscores.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-+._".contains(&b))
}

fn is_architecture(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn clip(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "Package: a\nVersion: 1\nArchitecture: amd64\n";

    #[test]
    fn a_control_file_is_read() {
        let text =
            "Package: Libx\nVersion: 1:2-3\nArchitecture: amd64\nMulti-Arch: same\nDescription: a\n b\n";
        let control = Control::parse(text.as_bytes()).unwrap();
        assert_eq!(
            (control.package(), control.version(), control.architecture()),
            ("libx", "1:2-3", "amd64")
        );
        assert_eq!(control.record_name(), "libx:amd64");
        assert_eq!(control.text("description"), Some("a\n b"));
        assert_eq!(
            control
                .fields()
                .map(|(name, _)| name)
                .collect::<Vec<_>>()
                .join(" "),
            "Package Version Architecture Multi-Arch Description"
        );
        assert_eq!(Control::parse(PLAIN.as_bytes()).unwrap().record_name(), "a");
    }

    #[test]
    fn bad_control_files_are_refused() {
        for (text, part) in [
            (String::new(), "empty"),
            (PLAIN.replace("Package: a\n", ""), "no `Package`"),
            (PLAIN.replace("Version: 1\n", ""), "no `Version`"),
            (PLAIN.replace("amd64", ""), "no `Architecture`"),
            (PLAIN.replace(": a\n", ": ../a\n"), "not a package name"),
            (PLAIN.replace(": 1\n", ": 1 2\n"), "`Version` is wrong"),
            (PLAIN.replace("amd64", "am/d"), "not an architecture"),
            (format!("{PLAIN}Status: install ok installed\n"), "`Status`"),
            (format!("{PLAIN}\n{PLAIN}"), "more than one"),
            (
                format!("{}Multi-Arch: same\n", PLAIN.replace("amd64", "all")),
                "`Architecture: all`",
            ),
            (format!("{PLAIN}x: y\n"), "too short"),
        ] {
            let error = Control::parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }
}
