//! Relationship fields: `Depends`, `Provides`, `Conflicts` and their kin (Debian Policy 7.1).

use std::fmt;

use crate::{Error, version};

/// How a version is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    /// `<<`: strictly earlier.
    Lt,
    /// `<=`: earlier or equal; the obsolete `<` means this too.
    Le,
    /// `=`: exactly equal.
    Eq,
    /// `>=`: later or equal; the obsolete `>` means this too.
    Ge,
    /// `>>`: strictly later.
    Gt,
}

impl Op {
    /// Whether the version `have` stands in this relation to the version `want`.
    pub fn matches(self, have: &str, want: &str) -> bool {
        let order = version::compare(have, want);
        match self {
            Op::Lt => order.is_lt(),
            Op::Le => order.is_le(),
            Op::Eq => order.is_eq(),
            Op::Ge => order.is_ge(),
            Op::Gt => order.is_gt(),
        }
    }

    /// The operator as it is written today.
    pub fn symbol(self) -> &'static str {
        match self {
            Op::Lt => "<<",
            Op::Le => "<=",
            Op::Eq => "=",
            Op::Ge => ">=",
            Op::Gt => ">>",
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

/// One package that a field names: `libc6:any (>= 2.38)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Relation<'a> {
    /// The package's name.
    pub name: &'a str,
    /// What follows the name's colon: `any`, `native` or an architecture.
    pub arch: Option<&'a str>,
    /// The versions that will do; all of them when `None`.
    pub constraint: Option<(Op, &'a str)>,
    /// The text inside `[...]`: for which architectures the relation holds. Only sources have it, by Policy.
    pub architectures: Option<&'a str>,
}

impl Relation<'_> {
    /// Whether a package of this version would do, by its version alone.
    pub fn admits(&self, version: &str) -> bool {
        self.constraint.is_none_or(|(op, want)| op.matches(version, want))
    }

    /// Whether the relation's `[...]` lets it hold on this architecture; it does when there is none.
    pub fn holds_on(&self, architecture: &str) -> bool {
        let Some(list) = self.architectures else {
            return true;
        };
        let mut words = list.split_ascii_whitespace().peekable();
        let negated = words.peek().is_some_and(|word| word.starts_with('!'));
        let named = words.any(|word| word.trim_start_matches('!') == architecture);
        named != negated
    }
}

impl fmt::Display for Relation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if let Some(arch) = self.arch {
            write!(f, ":{arch}")?;
        }
        if let Some((op, version)) = self.constraint {
            write!(f, " ({op} {version})")?;
        }
        if let Some(list) = self.architectures {
            write!(f, " [{list}]")?;
        }
        Ok(())
    }
}

/// One comma-separated part of a field: alternatives of which one has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group<'a>(&'a str);

impl<'a> Group<'a> {
    /// The group as written, without the space around it.
    pub fn text(self) -> &'a str {
        self.0
    }

    /// The alternatives, the preferred one first; each is parsed when it is reached.
    pub fn alternatives(self) -> impl Iterator<Item = Result<Relation<'a>, Error>> {
        self.0.split('|').map(parse)
    }
}

/// The groups of a field. Nothing is parsed yet; empty parts (a comma at the end) are left out as dpkg does.
pub fn groups(field: &str) -> impl Iterator<Item = Group<'_>> {
    field
        .split(',')
        .map(|part| Group(part.trim_ascii()))
        .filter(|group| !group.0.is_empty())
}

/// A whole field as groups of alternatives.
///
/// # Errors
///
/// [`Error::Relation`] at the first relation that cannot be read.
pub fn parse_groups(field: &str) -> Result<Vec<Vec<Relation<'_>>>, Error> {
    groups(field)
        .map(|group| group.alternatives().collect())
        .collect()
}

/// One relation: `name[:arch] [(op version)] [[arch...]] [<profile...>...]`.
///
/// Build profiles are accepted and left out: no binary package may have them. A version without an operator means
/// `=`, as dpkg and apt read it.
///
/// # Errors
///
/// [`Error::Relation`] with the relation's text and what is wrong with it.
pub fn parse(text: &str) -> Result<Relation<'_>, Error> {
    let whole = text.trim_ascii();
    read(whole).map_err(|reason| Error::Relation {
        relation: whole.chars().take(200).collect(),
        reason,
    })
}

fn read(text: &str) -> Result<Relation<'_>, &'static str> {
    let (name, mut rest) = word(text, |b| {
        b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b'_')
    });
    if name.is_empty() {
        return Err("it has no package name");
    }
    let mut arch = None;
    if let Some(after) = rest.strip_prefix(':') {
        let (named, after) = word(after, |b| b.is_ascii_alphanumeric() || b == b'-');
        if named.is_empty() {
            return Err("its architecture is not a name");
        }
        (arch, rest) = (Some(named), after);
    }
    if !rest
        .bytes()
        .next()
        .is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'(' | b'[' | b'<'))
    {
        return Err("its name has a character that is not allowed there");
    }
    let mut relation = Relation {
        name,
        arch,
        constraint: None,
        architectures: None,
    };
    loop {
        rest = rest.trim_ascii_start();
        rest = if let Some(after) = rest.strip_prefix('(') {
            let (inside, after) = after.split_once(')').ok_or("a `(` is not closed")?;
            if relation.constraint.replace(constraint(inside)?).is_some() {
                return Err("it has two versions");
            }
            after
        } else if let Some(after) = rest.strip_prefix('[') {
            let (inside, after) = after.split_once(']').ok_or("a `[` is not closed")?;
            if relation.architectures.replace(inside.trim_ascii()).is_some() {
                return Err("it has two lists of architectures");
            }
            after
        } else if let Some(after) = rest.strip_prefix('<') {
            after.split_once('>').ok_or("a `<` is not closed")?.1
        } else if rest.is_empty() {
            return Ok(relation);
        } else {
            return Err("something follows that is neither a version nor a restriction");
        };
    }
}

/// The characters at the start that pass, all of them ASCII, and the rest.
fn word(text: &str, passes: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|b| !passes(b)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn constraint(inside: &str) -> Result<(Op, &str), &'static str> {
    let inside = inside.trim_ascii();
    let (op, length) = match *inside.as_bytes() {
        [b'>', b'=', ..] => (Op::Ge, 2),
        [b'=', ..] => (Op::Eq, 1),
        [b'<', b'<', ..] => (Op::Lt, 2),
        [b'<', b'=', ..] => (Op::Le, 2),
        [b'>', b'>', ..] => (Op::Gt, 2),
        [b'<', ..] => (Op::Le, 1),
        [b'>', ..] => (Op::Ge, 1),
        _ => (Op::Eq, 0),
    };
    let version = inside.get(length..).unwrap_or_default();
    let version = version.trim_ascii();
    if version.is_empty() {
        return Err("its version is empty");
    }
    if version
        .bytes()
        .any(|b| b.is_ascii_whitespace() || matches!(b, b'(' | b'<' | b'>' | b'=' | b'|'))
    {
        return Err("its version has a character that is not allowed there");
    }
    Ok((op, version))
}

#[cfg(test)]
mod tests;
