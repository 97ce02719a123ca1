use std::borrow::Cow;

use crate::archive::Control;
use crate::relation;

use super::RecordError;

/// How dpkg writes a field that it knows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// As it is, when it is not empty.
    Text,
    /// `yes`, or not at all.
    YesNo,
    /// A known word in lower case; `unknown` not at all.
    Priority,
    /// Not at all when it is `no`.
    MultiArch,
    /// Without a redundant epoch.
    Version,
    /// Relations, each spelled anew.
    Relations,
    /// The package's name, folded to lower case.
    Name,
    /// The state that we give it.
    Status,
    /// From the package's list of conffiles, not from its control file.
    Conffiles,
    /// Never: it describes the archive, not what is installed.
    Dropped,
}

/// Every field that dpkg knows, in the order in which it writes them (its `fieldinfos`).
const FIELDS: [(&str, Style); 28] = [
    ("Package", Style::Name),
    ("Essential", Style::YesNo),
    ("Protected", Style::YesNo),
    ("Status", Style::Status),
    ("Priority", Style::Priority),
    ("Section", Style::Text),
    ("Installed-Size", Style::Text),
    ("Origin", Style::Text),
    ("Maintainer", Style::Text),
    ("Bugs", Style::Text),
    ("Architecture", Style::Text),
    ("Multi-Arch", Style::MultiArch),
    ("Source", Style::Text),
    ("Version", Style::Version),
    ("Replaces", Style::Relations),
    ("Provides", Style::Relations),
    ("Depends", Style::Relations),
    ("Pre-Depends", Style::Relations),
    ("Recommends", Style::Relations),
    ("Suggests", Style::Relations),
    ("Breaks", Style::Relations),
    ("Conflicts", Style::Relations),
    ("Enhances", Style::Relations),
    ("Conffiles", Style::Conffiles),
    ("Filename", Style::Dropped),
    ("Size", Style::Dropped),
    ("MD5sum", Style::Dropped),
    ("MSDOS-Filename", Style::Dropped),
];

/// These come after the conffiles, and before the fields that dpkg does not know.
const DESCRIPTION: &str = "Description";

/// A package's stanza in `status`, as dpkg writes it after unpacking, with the last newline and no empty line.
pub(crate) fn stanza(control: &Control, conffiles: &[u8]) -> Result<Vec<u8>, RecordError> {
    let wrong = |reason: String| RecordError::package(control.package(), reason);
    let mut text = Vec::new();
    for (name, style) in FIELDS.into_iter().chain([(DESCRIPTION, Style::Text)]) {
        if style == Style::Conffiles && !conffiles.is_empty() {
            text.extend_from_slice(b"Conffiles:\n");
            text.extend_from_slice(conffiles);
        }
        if let Some(value) = value(control, name, style).map_err(wrong)? {
            line(&mut text, name, &value);
        }
    }
    for (name, value) in control.fields().filter(|(name, _)| !is_known(name)) {
        line(&mut text, name, value);
    }
    Ok(text)
}

fn line(text: &mut Vec<u8>, name: &str, value: &[u8]) {
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b": ");
    text.extend_from_slice(value);
    text.push(b'\n');
}

fn is_known(name: &str) -> bool {
    name.eq_ignore_ascii_case(DESCRIPTION) || FIELDS.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// What stands after a field's colon; `None` when dpkg would not write the field.
fn value<'c>(control: &'c Control, name: &str, style: Style) -> Result<Option<Cow<'c, [u8]>>, String> {
    match style {
        Style::Name => return Ok(Some(Cow::Borrowed(control.package().as_bytes()))),
        Style::Status => return Ok(Some(Cow::Borrowed(b"install ok unpacked"))),
        Style::Conffiles | Style::Dropped => return Ok(None),
        _ => {}
    }
    let Some(raw) = control.get(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    if style == Style::Text {
        return Ok(Some(Cow::Borrowed(raw)));
    }
    let text = std::str::from_utf8(raw).map_err(|_| format!("its `{name}` is not text"))?;
    let word = text.to_ascii_lowercase();
    let own = |text: String| Some(Cow::Owned(text.into_bytes()));
    Ok(match (style, word.as_str()) {
        (Style::YesNo | Style::MultiArch, "no") => None,
        (Style::YesNo, "yes") | (Style::MultiArch, "same" | "allowed" | "foreign") => own(word),
        (Style::YesNo | Style::MultiArch, _) => {
            return Err(format!("its `{name}` has the unknown value `{text}`"));
        }
        (Style::Priority, "unknown") => None,
        (Style::Priority, "required" | "important" | "standard" | "optional" | "extra") => own(word),
        (Style::Version, _) => own(version(text).into_owned()),
        (Style::Relations, _) => {
            own(relations(text).map_err(|error| format!("its `{name}` is wrong: {error}"))?)
        }
        _ => Some(Cow::Borrowed(raw)),
    })
}

/// A version without an epoch of zero, and without zeros in front of another epoch: dpkg keeps epochs as numbers.
fn version(text: &str) -> Cow<'_, str> {
    let Some((epoch, rest)) = text.split_once(':') else {
        return Cow::Borrowed(text);
    };
    match epoch.parse::<u32>() {
        // A colon further on would be taken for the epoch's, so dpkg keeps the zero then.
        Ok(0) if !rest.contains(':') => Cow::Borrowed(rest),
        Ok(number) => Cow::Owned(format!("{number}:{rest}")),
        Err(_) => Cow::Borrowed(text),
    }
}

/// A relation field as dpkg spells it: `a (>= 1), b | c:any`.
fn relations(text: &str) -> Result<String, String> {
    let mut spelled = String::with_capacity(text.len());
    for group in relation::groups(text) {
        if !spelled.is_empty() {
            spelled.push_str(", ");
        }
        for (number, relation) in group.alternatives().enumerate() {
            let relation = relation.map_err(|error| error.to_string())?;
            if relation.architectures.is_some() {
                return Err(format!(
                    "`{relation}` is for some architectures only, which is for sources"
                ));
            }
            if number > 0 {
                spelled.push_str(" | ");
            }
            spelled.push_str(&relation.name.to_ascii_lowercase());
            if let Some(arch) = relation.arch {
                spelled.extend([":", arch]);
            }
            if let Some((op, wanted)) = relation.constraint {
                spelled.extend([" (", op.symbol(), " ", &version(wanted), ")"]);
            }
        }
    }
    Ok(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stanza_of(control: &str, conffiles: &str) -> Result<String, RecordError> {
        let control = Control::parse(control.as_bytes()).unwrap();
        Ok(String::from_utf8(stanza(&control, conffiles.as_bytes())?).unwrap())
    }

    #[test]
    fn fields_are_written_in_dpkgs_order() {
        let control = "Homepage: http://example.org/\nX-Own:\nDescription: does \n something\n .\n more\n\
            Package: Example\nVersion: 0:1.0-1\nArchitecture: amd64\nMaintainer: A <a@example.org>\n\
            Essential: no\nPROTECTED: Yes\nMulti-Arch: foreign\nPriority: Optional\nSection: libs\n\
            Depends: b  (>1) |C:any(<<00:2),\n d ( = 3:4 )\nPre-Depends:\nFilename: pool/x.deb\nSize: 12\n\
            Conffiles:\n /etc/lie 0\nInstalled-Size: 10\nSource: src (1.0)\nProvides: p (= 0:1)\n";
        let want = "Package: example\nProtected: yes\nStatus: install ok unpacked\nPriority: optional\n\
            Section: libs\nInstalled-Size: 10\nMaintainer: A <a@example.org>\nArchitecture: amd64\n\
            Multi-Arch: foreign\nSource: src (1.0)\nVersion: 1.0-1\nProvides: p (= 1)\n\
            Depends: b (>= 1) | c:any (<< 2), d (= 3:4)\nConffiles:\n /etc/a 00\n\
            Description: does \n something\n .\n more\nHomepage: http://example.org/\nX-Own: \n";
        assert_eq!(stanza_of(control, " /etc/a 00\n").unwrap(), want);
    }

    #[test]
    fn defaults_are_left_out() {
        let plain = "Package: a\nVersion: 1\nArchitecture: all\n";
        let want = "Package: a\nStatus: install ok unpacked\nArchitecture: all\nVersion: 1\n";
        for more in [
            "",
            "Essential: No\n",
            "Multi-Arch: no\n",
            "Priority: unknown\n",
            "Section:\n",
            "Description:\n",
        ] {
            assert_eq!(
                stanza_of(&format!("{plain}{more}"), "").unwrap(),
                want,
                "{more:?}"
            );
        }
    }

    #[test]
    fn unknown_values_are_refused() {
        let plain = "Package: a\nVersion: 1\nArchitecture: all\n";
        for more in [
            "Essential: maybe\n",
            "Multi-Arch: some\n",
            "Depends: a (>= \n",
            "Depends: a [i386]\n",
        ] {
            assert!(stanza_of(&format!("{plain}{more}"), "").is_err(), "{more:?}");
        }
    }
}
