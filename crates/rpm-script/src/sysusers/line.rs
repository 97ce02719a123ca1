//! Lines of sysusers.d(5).

use super::{SysusersError, fail};

/// How many lines, and how long names, a package may have.
const MOST_LINES: usize = 10_000;
const MOST_NAME: usize = 31;

/// An id as it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Id {
    /// Any that is free.
    #[default]
    Any,
    Number(u32),
    /// That of a file's owner.
    OwnerOf(Vec<u8>),
}

/// The group of a user, where it is not one of the user's own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GroupOf {
    Number(u32),
    Name(Vec<u8>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: Vec<u8>,
    pub(super) id: Id,
    pub(super) group: Option<GroupOf>,
    pub(super) gecos: Vec<u8>,
    pub(super) home: Option<Vec<u8>>,
    pub(super) shell: Option<Vec<u8>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: Vec<u8>,
    pub(super) id: Id,
}

/// Everything that is declared, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) groups: Vec<Group>,
    pub(super) users: Vec<User>,
    /// User and group.
    pub(super) members: Vec<(Vec<u8>, Vec<u8>)>,
    /// First and last id of ranges to take ids from.
    pub(super) ranges: Vec<(u32, u32)>,
}

/// The words of a line: quotes of both kinds keep blanks, a backslash takes what follows as it is.
fn words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let (mut word, mut begun, mut quote) = (Vec::new(), false, None);
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'\\', _) => {
                begun = true;
                word.push(match bytes.next()? {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b's' => b' ',
                    other => other,
                });
            }
            (byte, Some(open)) if byte == open => quote = None,
            (byte, Some(_)) => word.push(byte),
            (b'"' | b'\'', None) => {
                begun = true;
                quote = Some(byte);
            }
            (byte, None) if byte.is_ascii_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (byte, None) => {
                begun = true;
                word.push(byte);
            }
        }
    }
    if begun {
        words.push(word);
    }
    quote.is_none().then_some(words)
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

fn is_name(name: &[u8]) -> bool {
    let first = name
        .first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    let rest = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    first && name.len() <= MOST_NAME && name.iter().skip(1).all(rest)
}

fn name(text: &[u8]) -> Result<Vec<u8>, SysusersError> {
    match is_name(text) {
        true => Ok(text.to_vec()),
        false => fail(format!("'{}' is not a valid user or group name.", shown(text))),
    }
}

/// Decimal digits; the two numbers that mean nobody are refused.
fn number(text: &[u8], what: &str) -> Result<u32, SysusersError> {
    let parsed = std::str::from_utf8(text)
        .ok()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .filter(|number| ![u32::MAX, 0xffff].contains(number));
    match parsed {
        Some(number) => Ok(number),
        None => fail(format!("Failed to parse {what}: '{}'", shown(text))),
    }
}

fn id(text: Option<&[u8]>, what: &str) -> Result<Id, SysusersError> {
    match text {
        None => Ok(Id::Any),
        Some(path @ [b'/', ..]) => Ok(Id::OwnerOf(path.to_vec())),
        Some(digits) => number(digits, what).map(Id::Number),
    }
}

/// A field that becomes one of passwd(5).
fn field(text: Option<&[u8]>, what: &str) -> Result<Option<Vec<u8>>, SysusersError> {
    let Some(text) = text else { return Ok(None) };
    let is_bad = |byte: &u8| *byte == b':' || byte.is_ascii_control();
    match text.iter().any(is_bad) {
        true => fail(format!("'{}' is not a valid {what} field.", shown(text))),
        false => Ok(Some(text.to_vec())),
    }
}

/// An absolute path as home or shell.
fn path(text: Option<&[u8]>, what: &str) -> Result<Option<Vec<u8>>, SysusersError> {
    match field(text, what)? {
        Some(path) if !path.starts_with(b"/") => {
            fail(format!("'{}' is not a valid {what} field.", shown(&path)))
        }
        path => Ok(path),
    }
}

/// What the lines declare. Of several lines for one name the first counts; members that nothing declares are declared by that.
pub(super) fn parse(lines: &[Vec<u8>]) -> Result<Declared, SysusersError> {
    if lines.len() > MOST_LINES {
        return fail("Too many lines.");
    }
    let mut declared = Declared::default();
    for line in lines {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let Some(words) = words(line) else {
            return fail(format!("Syntax error in '{}'.", shown(line)));
        };
        one(&words, &mut declared)?;
    }
    for (user, group) in declared.members.clone() {
        if !declared.users.iter().any(|declared| declared.name == user) {
            declared.users.push(User {
                name: user,
                ..User::default()
            });
        }
        let known = declared.users.iter().any(|declared| declared.name == group)
            || declared.groups.iter().any(|declared| declared.name == group);
        if !known {
            declared.groups.push(Group {
                name: group,
                id: Id::Any,
            });
        }
    }
    Ok(declared)
}

fn one(words: &[Vec<u8>], declared: &mut Declared) -> Result<(), SysusersError> {
    if words.len() > 6 {
        return fail("Trailing garbage.");
    }
    let word = |place: usize| {
        words
            .get(place)
            .map(Vec::as_slice)
            .filter(|word| !word.is_empty() && *word != b"-")
    };
    let kind = words.first().map(Vec::as_slice).unwrap_or_default();
    let only = |letter: &str, last: usize| match (last + 1..6).find(|place| word(*place).is_some()) {
        None => Ok(()),
        Some(place) => {
            let names = ["type", "name", "ID", "GECOS", "home directory", "login shell"];
            let field = names.get(place).copied().unwrap_or_default();
            fail(format!("Lines of type '{letter}' don't take a {field} field."))
        }
    };
    let named = |letter: &str, what: &str| match word(1) {
        Some(text) => name(text),
        None => fail(format!(
            "Lines of type '{letter}' require a {what} name in the second field."
        )),
    };
    match kind {
        // With an exclamation mark the account is locked, as those made here are anyway.
        b"u" | b"u!" => {
            let user = user(named("u", "user")?, &word)?;
            if !declared.users.iter().any(|other| other.name == user.name) {
                declared.users.push(user);
            }
        }
        b"g" => {
            only("g", 2)?;
            let group = Group {
                name: named("g", "group")?,
                id: id(word(2), "GID")?,
            };
            if !declared.groups.iter().any(|other| other.name == group.name) {
                declared.groups.push(group);
            }
        }
        b"m" => {
            only("m", 2)?;
            let user = named("m", "user")?;
            let Some(group) = word(2) else {
                return fail("Lines of type 'm' require a group name in the third field.");
            };
            let member = (user, name(group)?);
            if !declared.members.contains(&member) {
                declared.members.push(member);
            }
        }
        b"r" => {
            only("r", 2)?;
            if word(1).is_some() {
                return fail("Lines of type 'r' don't take a name field.");
            }
            let Some(range) = word(2) else {
                return fail("Lines of type 'r' require an ID range in the third field.");
            };
            let mut ends = range.splitn(2, |byte| *byte == b'-');
            let first = number(ends.next().unwrap_or_default(), "UID range")?;
            let last = ends.next().map_or(Ok(first), |last| number(last, "UID range"))?;
            if last < first {
                return fail(format!("Invalid UID range {}.", shown(range)));
            }
            declared.ranges.push((first, last));
        }
        other => return fail(format!("Unknown command type '{}'.", shown(other))),
    }
    Ok(())
}

fn user<'w>(name_of: Vec<u8>, word: &dyn Fn(usize) -> Option<&'w [u8]>) -> Result<User, SysusersError> {
    let mut user = User {
        name: name_of,
        gecos: field(word(3), "GECOS")?.unwrap_or_default(),
        home: path(word(4), "home directory")?,
        shell: path(word(5), "login shell")?,
        ..User::default()
    };
    let colon = word(2).and_then(|text| {
        let at = text.iter().position(|byte| *byte == b':')?;
        (!text.starts_with(b"/")).then_some((text.get(..at)?, text.get(at + 1..)?))
    });
    match colon {
        Some((uid, group)) => {
            user.id = id(Some(uid).filter(|uid| *uid != b"-"), "UID")?;
            user.group = Some(match group.first().is_some_and(u8::is_ascii_digit) {
                true => GroupOf::Number(number(group, "GID")?),
                false => GroupOf::Name(name(group)?),
            });
        }
        None => user.id = id(word(2), "UID")?,
    }
    Ok(user)
}
