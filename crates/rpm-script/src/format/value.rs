//! The values of tags, and how they look.

use std::collections::HashMap;
use std::sync::LazyLock;

use bareroot_rpm::{Dependency, DependencyKind, Header, Sense, Tag};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::parse::{Reference, Source};

/// What rpm makes out of several tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Extension {
    Nevra,
    Nvra,
    Nevr,
    Nvr,
    Evr,
    EpochNumber,
    FileNames,
    LongSize,
    LongFileSizes,
    ArchSuffix,
    Dependencies(DependencyKind),
}

impl Extension {
    /// The number that rpm gives it among the tags.
    fn number(self) -> u32 {
        match self {
            Extension::Nvra => 1196,
            Extension::FileNames => 5000,
            Extension::LongFileSizes => 5008,
            Extension::LongSize => 5009,
            Extension::Evr => 5013,
            Extension::Nvr => 5014,
            Extension::Nevr => 5015,
            Extension::Nevra => 5016,
            Extension::EpochNumber => 5019,
            Extension::ArchSuffix => 5098,
            Extension::Dependencies(kind) => match kind {
                DependencyKind::Requires => 5041,
                DependencyKind::Provides => 5042,
                DependencyKind::Obsoletes => 5043,
                DependencyKind::Conflicts => 5044,
                DependencyKind::Recommends => 5058,
                DependencyKind::Suggests => 5059,
                DependencyKind::Supplements => 5060,
                _ => 5061,
            },
        }
    }
}

/// How a value is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Octal,
    Hex,
    Date,
    Day,
    ShellWord,
    Permissions,
    FileFlags,
    DependencyFlags,
    Base64,
    FileState,
    HumanSi,
    HumanIec,
    TagName,
    TagNumber,
}

impl Form {
    pub(super) fn of(name: &[u8]) -> Option<Form> {
        Some(match name {
            b"string" => Form::Text,
            b"octal" => Form::Octal,
            b"hex" => Form::Hex,
            b"date" => Form::Date,
            b"day" => Form::Day,
            b"shescape" => Form::ShellWord,
            b"perms" | b"permissions" => Form::Permissions,
            b"fflags" => Form::FileFlags,
            b"depflags" => Form::DependencyFlags,
            b"base64" => Form::Base64,
            b"fstate" => Form::FileState,
            b"humansi" => Form::HumanSi,
            b"humaniec" => Form::HumanIec,
            b"tagname" => Form::TagName,
            b"tagnum" => Form::TagNumber,
            _ => return None,
        })
    }
}

/// Tags that have no constant in `bareroot-rpm`, and other names of tags (rpmtag.h).
const OTHERS: &[(&str, u32)] = &[
    ("BUILDARCHS", 1089),
    ("C", 1054),
    ("CHANGELOGNAME", 1081),
    ("CHANGELOGTEXT", 1082),
    ("CHANGELOGTIME", 1080),
    ("CLASSDICT", 1142),
    ("CONFLICTS", 1054),
    ("COOKIE", 1094),
    ("DEPENDSDICT", 1145),
    ("DISTRIBUTION", 1010),
    ("DISTTAG", 1155),
    ("DISTURL", 1123),
    ("E", 1003),
    ("ENHANCES", 5055),
    ("EXCLUDEARCH", 1059),
    ("EXCLUDEOS", 1060),
    ("EXCLUSIVEARCH", 1061),
    ("EXCLUSIVEOS", 1062),
    ("FILECLASS", 1141),
    ("FILECONTEXTS", 1147),
    ("FILEDEPENDSN", 1144),
    ("FILEDEPENDSX", 1143),
    ("FILEMD5S", 1035),
    ("FSCONTEXTS", 1148),
    ("GIF", 1012),
    ("HDRID", 269),
    ("ICON", 1043),
    ("INSTPREFIXES", 1099),
    ("N", 1000),
    ("NOPATCH", 1052),
    ("NOSOURCE", 1051),
    ("O", 1090),
    ("OBSOLETES", 1090),
    ("OLDFILENAMES", 1027),
    ("OPTFLAGS", 1122),
    ("ORIGBASENAMES", 1120),
    ("ORIGDIRINDEXES", 1119),
    ("ORIGDIRNAMES", 1121),
    ("P", 1047),
    ("PATCH", 1019),
    ("PAYLOADDIGEST", 5092),
    ("PAYLOADDIGESTALGO", 5093),
    ("PAYLOADDIGESTALT", 5097),
    ("PKGID", 261),
    ("PLATFORM", 1132),
    ("POLICIES", 1150),
    ("PROVIDES", 1047),
    ("R", 1002),
    ("RECOMMENDS", 5046),
    ("RECONTEXTS", 1149),
    ("REMOVETID", 1129),
    ("REQUIRES", 1049),
    ("SOURCE", 1018),
    ("SOURCEPKGID", 1146),
    ("SPEC", 5099),
    ("SUGGESTS", 5049),
    ("SUPPLEMENTS", 5052),
    ("TRANSLATIONURL", 5100),
    ("UPSTREAMRELEASES", 5101),
    ("V", 1001),
    ("VCS", 5034),
    ("XPM", 1013),
];

const EXTENSIONS: &[(&str, Extension)] = &[
    ("NEVRA", Extension::Nevra),
    ("NVRA", Extension::Nvra),
    ("NEVR", Extension::Nevr),
    ("NVR", Extension::Nvr),
    ("EVR", Extension::Evr),
    ("EPOCHNUM", Extension::EpochNumber),
    ("FILENAMES", Extension::FileNames),
    ("LONGSIZE", Extension::LongSize),
    ("LONGFILESIZES", Extension::LongFileSizes),
    ("ARCHSUFFIX", Extension::ArchSuffix),
    ("PROVIDENEVRS", Extension::Dependencies(DependencyKind::Provides)),
    ("REQUIRENEVRS", Extension::Dependencies(DependencyKind::Requires)),
    (
        "CONFLICTNEVRS",
        Extension::Dependencies(DependencyKind::Conflicts),
    ),
    (
        "OBSOLETENEVRS",
        Extension::Dependencies(DependencyKind::Obsoletes),
    ),
    (
        "RECOMMENDNEVRS",
        Extension::Dependencies(DependencyKind::Recommends),
    ),
    ("SUGGESTNEVRS", Extension::Dependencies(DependencyKind::Suggests)),
    (
        "SUPPLEMENTNEVRS",
        Extension::Dependencies(DependencyKind::Supplements),
    ),
    ("ENHANCENEVRS", Extension::Dependencies(DependencyKind::Enhances)),
];

/// Tags' numbers end before this.
const TAGS_END: u32 = 6000;

/// What a tag's name means; case counts for nothing, nor does the prefix that the names have in C.
pub(super) fn tag_of(name: &str) -> Option<Source> {
    let upper = name.to_ascii_uppercase();
    let name = upper.strip_prefix("RPMTAG_").unwrap_or(&upper);
    if let Some((_, extension)) = EXTENSIONS.iter().find(|(known, _)| *known == name) {
        return Some(Source::Extension(*extension));
    }
    static TAGS: LazyLock<HashMap<&str, Tag>> = LazyLock::new(|| {
        let named = (0..TAGS_END).map(Tag).filter_map(|tag| Some((tag.name()?, tag)));
        let others = OTHERS.iter().map(|(name, number)| (*name, Tag(*number)));
        named.chain(others).collect()
    });
    TAGS.get(name).copied().map(Source::Tag)
}

/// The elements of a tag.
pub(super) enum Values {
    Numbers(Vec<u64>),
    Texts(Vec<Vec<u8>>),
    Binary(Vec<u8>),
}

impl Values {
    pub(super) fn of(header: &Header, source: Source) -> Values {
        let one = |text: String| Values::Texts(vec![text.into_bytes()]);
        match source {
            Source::Tag(tag) => of_tag(header, tag),
            Source::Extension(extension) => {
                let nevra = header.nevra();
                let (name, evr, arch) = (&nevra.name, nevra.evr(), &nevra.arch);
                let vr = format!("{}-{}", nevra.version, nevra.release);
                // An epoch of 0 that is written in the header is written here.
                let evr = match nevra.epoch {
                    Some(0) => format!("0:{evr}"),
                    _ => evr,
                };
                match extension {
                    Extension::Nevra => one(format!("{name}-{evr}.{arch}")),
                    Extension::Nvra => one(format!("{name}-{vr}.{arch}")),
                    Extension::Nevr => one(format!("{name}-{evr}")),
                    Extension::Nvr => one(format!("{name}-{vr}")),
                    Extension::Evr => one(evr),
                    Extension::EpochNumber => Values::Numbers(vec![nevra.epoch.unwrap_or(0).into()]),
                    Extension::ArchSuffix => one(format!(".{arch}")),
                    Extension::LongSize => wide(header, [Tag::LONGSIZE, Tag::SIZE]),
                    Extension::LongFileSizes => wide(header, [Tag::LONGFILESIZES, Tag::FILESIZES]),
                    Extension::FileNames => {
                        Values::Texts(header.files().iter().map(|file| file.path()).collect())
                    }
                    Extension::Dependencies(kind) => Values::Texts(
                        header
                            .dependencies(kind)
                            .iter()
                            .map(|dependency| dependency_text(dependency).into_bytes())
                            .collect(),
                    ),
                }
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Values::Numbers(numbers) => numbers.len(),
            Values::Texts(texts) => texts.len(),
            Values::Binary(bytes) => usize::from(!bytes.is_empty()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An element in its form; rpm's words for what has none.
    pub(super) fn formatted(&self, element: usize, reference: &Reference) -> Vec<u8> {
        let words = |text: &str| text.as_bytes().to_vec();
        match reference.form {
            _ if element >= self.len() => return words("(none)"),
            Form::TagName => {
                let name = match reference.source {
                    Source::Tag(tag) => tag.name().unwrap_or(&reference.name),
                    Source::Extension(_) => &reference.name,
                };
                return capitalised(name).into_bytes();
            }
            Form::TagNumber => {
                return match reference.source {
                    Source::Tag(Tag(number)) => number.to_string().into_bytes(),
                    Source::Extension(extension) => extension.number().to_string().into_bytes(),
                };
            }
            _ => {}
        }
        match self {
            Values::Numbers(numbers) => {
                let number = numbers.get(element).copied().unwrap_or_default();
                number_text(number, reference.form).into_bytes()
            }
            Values::Texts(texts) => {
                let text = texts.get(element).map(Vec::as_slice).unwrap_or_default();
                match reference.form {
                    Form::Text => text.to_vec(),
                    Form::ShellWord => shell_word(text),
                    Form::Base64 => words("(not a blob)"),
                    _ => words("(not a number)"),
                }
            }
            Values::Binary(bytes) => match reference.form {
                Form::Text => bytes
                    .iter()
                    .flat_map(|byte| format!("{byte:02x}").into_bytes())
                    .collect(),
                // In lines, as rpm writes a signature.
                Form::Base64 => STANDARD
                    .encode(bytes)
                    .as_bytes()
                    .chunks(64)
                    .flat_map(|line| [line, b"\n"].concat())
                    .collect(),
                Form::ShellWord => words("''"),
                _ => words("(not a number)"),
            },
        }
    }
}

/// Numbers that are in one of two tags: the second is for those that fit 32 bits.
fn wide(header: &Header, tags: [Tag; 2]) -> Values {
    let numbers = tags.map(|tag| header.numbers(tag));
    let found = numbers.into_iter().find(|numbers| !numbers.is_empty());
    Values::Numbers(found.unwrap_or_default())
}

fn of_tag(header: &Header, tag: Tag) -> Values {
    let texts = header.strings(tag);
    if !texts.is_empty() {
        return Values::Texts(texts.into_iter().map(<[u8]>::to_vec).collect());
    }
    let numbers = header.numbers(tag);
    match header.binary(tag).filter(|_| numbers.is_empty()) {
        Some(bytes) => Values::Binary(bytes.to_vec()),
        None => Values::Numbers(numbers),
    }
}

/// A tag's name as rpm shows it.
fn capitalised(name: &str) -> String {
    let mut text = name.to_ascii_lowercase();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

fn dependency_text(dependency: &Dependency<'_>) -> String {
    match dependency.evr {
        "" => dependency.name.to_owned(),
        evr => format!("{} {} {evr}", dependency.name, comparison(dependency.sense.0)),
    }
}

fn comparison(sense: u32) -> String {
    [(Sense::LESS, '<'), (Sense::GREATER, '>'), (Sense::EQUAL, '=')]
        .into_iter()
        .filter(|(flag, _)| sense & flag.0 != 0)
        .map(|(_, sign)| sign)
        .collect()
}

fn shell_word(text: &[u8]) -> Vec<u8> {
    let mut word = vec![b'\''];
    for byte in text {
        match byte {
            b'\'' => word.extend_from_slice(b"'\\''"),
            other => word.push(*other),
        }
    }
    word.push(b'\'');
    word
}

fn number_text(number: u64, form: Form) -> String {
    match form {
        Form::Octal => format!("{number:o}"),
        Form::Hex => format!("{number:x}"),
        Form::Date => date(number, true),
        Form::Day => date(number, false),
        Form::Permissions => permissions(number),
        Form::FileFlags => file_flags(number),
        Form::DependencyFlags => comparison(u32::try_from(number).unwrap_or_default()),
        Form::Base64 => "(not a blob)".to_owned(),
        Form::FileState => match number {
            0 => "normal",
            1 => "replaced",
            2 => "not installed",
            3 => "net shared",
            4 => "wrong color",
            // What is not there at all is -1, in whatever width.
            255 | 0xffff_ffff => "missing",
            _ => "(unknown)",
        }
        .to_owned(),
        Form::HumanSi => human(number, 1000),
        Form::HumanIec => human(number, 1024),
        Form::Text | Form::ShellWord | Form::TagName | Form::TagNumber => number.to_string(),
    }
}

/// Day and time in the C locale, in UTC: a root that is being made has no other time zone.
fn date(seconds: u64, with_time: bool) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let weekday = DAYS.get((days % 7) as usize).copied().unwrap_or_default();
    // Years that begin in March, so that a leap day is the last; eras of 400 years.
    let shifted = days.saturating_add(719_468);
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month_place = (month + 2) % 12;
    let year = year + era * 400 + u64::from(month_place < 2);
    let name = MONTHS.get(month_place as usize).copied().unwrap_or_default();
    match with_time {
        true => {
            let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
            format!("{weekday} {name} {day:2} {hour:02}:{minute:02}:{second:02} {year}")
        }
        false => format!("{weekday} {name} {day:02} {year}"),
    }
}

fn permissions(mode: u64) -> String {
    let kind = match mode & 0o170_000 {
        0o100_000 => '-',
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o010_000 => 'p',
        0o140_000 => 's',
        0o020_000 => 'c',
        0o060_000 => 'b',
        _ => '?',
    };
    let mut text = vec![kind];
    for (place, letter) in "rwxrwxrwx".chars().enumerate() {
        text.push(if mode & (0o400 >> place) != 0 { letter } else { '-' });
    }
    for (place, flag, letters) in [
        (3, 0o4000, ['s', 'S']),
        (6, 0o2000, ['s', 'S']),
        (9, 0o1000, ['t', 'T']),
    ] {
        if let Some(letter) = text.get_mut(place).filter(|_| mode & flag != 0) {
            *letter = if *letter == 'x' { letters[0] } else { letters[1] };
        }
    }
    text.into_iter().collect()
}

fn file_flags(flags: u64) -> String {
    [
        (2, 'd'),
        (1, 'c'),
        (32, 's'),
        (8, 'm'),
        (16, 'n'),
        (64, 'g'),
        (128, 'l'),
        (256, 'r'),
        (4096, 'a'),
    ]
    .into_iter()
    .filter(|(flag, _)| flags & flag != 0)
    .map(|(_, letter)| letter)
    .collect()
}

/// A size in units, with one digit after the point where there is only one before it; nothing is 0.
fn human(number: u64, base: u64) -> String {
    const UNITS: [&str; 8] = ["", "K", "M", "G", "T", "P", "E", "Z"];
    let (mut value, base) = (number as f64, base as f64);
    let mut unit = 0;
    while value >= base && unit + 1 < UNITS.len() {
        value /= base;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    match number > 0 && value < 9.95 {
        true => format!("{value:.1}{name}"),
        false => format!("{value:.0}{name}"),
    }
}
