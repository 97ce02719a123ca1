//! Epoch, version and release, and rpm's order of them (rpm-version(7)).

use std::cmp::Ordering;
use std::fmt;

/// `[epoch:]version[-release]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Evr<'a> {
    /// The epoch; none counts as 0 where versions of packages are compared.
    pub epoch: Option<u32>,
    /// The version.
    pub version: &'a str,
    /// The release, which a dependency may leave out.
    pub release: Option<&'a str>,
}

impl<'a> Evr<'a> {
    /// Splits as rpm's parseEVR does: digits before the first colon are the epoch, what follows the last dash is the
    /// release. Nothing is refused; an epoch that does not fit counts as the largest.
    pub fn parse(text: &'a str) -> Evr<'a> {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (epoch, rest) = match text.get(digits..).and_then(|rest| rest.strip_prefix(':')) {
            Some(rest) => {
                let number = text.get(..digits).unwrap_or_default();
                let epoch = if number.is_empty() {
                    0
                } else {
                    number.parse().unwrap_or(u32::MAX)
                };
                (Some(epoch), rest)
            }
            None => (None, text),
        };
        let (version, release) = match rest.rsplit_once('-') {
            Some((version, release)) => (version, Some(release)),
            None => (rest, None),
        };
        Evr {
            epoch,
            version,
            release,
        }
    }

    /// The order of packages: no epoch is epoch 0; a release counts only where both have one.
    pub fn compare(&self, other: &Evr<'_>) -> Ordering {
        self.epoch
            .unwrap_or(0)
            .cmp(&other.epoch.unwrap_or(0))
            .then_with(|| rpmvercmp(self.version, other.version))
            .then_with(|| match (self.release, other.release) {
                (Some(a), Some(b)) => rpmvercmp(a, b),
                _ => Ordering::Equal,
            })
    }
}

impl fmt::Display for Evr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(epoch) = self.epoch {
            write!(f, "{epoch}:")?;
        }
        f.write_str(self.version)?;
        match self.release {
            Some(release) => write!(f, "-{release}"),
            None => Ok(()),
        }
    }
}

/// rpm's order of two versions, or of two releases.
///
/// Runs of digits are compared as numbers, runs of letters as texts, whatever separates them counts for nothing; a number
/// is newer than letters, `~` sorts before everything, `^` after the end and before anything else.
pub fn rpmvercmp(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        a = skip_separators(a);
        b = skip_separators(b);
        match (a.first(), b.first()) {
            (Some(b'~'), Some(b'~')) => {
                (a, b) = (rest(a), rest(b));
                continue;
            }
            (Some(b'~'), _) => return Ordering::Less,
            (_, Some(b'~')) => return Ordering::Greater,
            (Some(b'^'), Some(b'^')) => {
                (a, b) = (rest(a), rest(b));
                continue;
            }
            (None, Some(b'^')) => return Ordering::Less,
            (Some(b'^'), None) => return Ordering::Greater,
            (Some(b'^'), Some(_)) => return Ordering::Less,
            (Some(_), Some(b'^')) => return Ordering::Greater,
            _ => {}
        }
        let (Some(first), Some(_)) = (a.first(), b.first()) else {
            break;
        };
        let numeric = first.is_ascii_digit();
        let (left, after_left) = segment(a, numeric);
        let (right, after_right) = segment(b, numeric);
        if right.is_empty() {
            return if numeric {
                Ordering::Greater
            } else {
                Ordering::Less
            };
        }
        let order = if numeric {
            let (left, right) = (without_zeros(left), without_zeros(right));
            left.len().cmp(&right.len()).then_with(|| left.cmp(right))
        } else {
            left.cmp(right)
        };
        if order.is_ne() {
            return order;
        }
        (a, b) = (after_left, after_right);
    }
    // At most one of them has something left.
    a.len().min(1).cmp(&b.len().min(1))
}

fn rest(bytes: &[u8]) -> &[u8] {
    bytes.get(1..).unwrap_or_default()
}

fn skip_separators(bytes: &[u8]) -> &[u8] {
    let start = bytes
        .iter()
        .position(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'~' | b'^'))
        .unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

/// The digits, or the letters, that a text begins with, and what follows them.
fn segment(bytes: &[u8], numeric: bool) -> (&[u8], &[u8]) {
    let end = bytes
        .iter()
        .position(|byte| match numeric {
            true => !byte.is_ascii_digit(),
            false => !byte.is_ascii_alphabetic(),
        })
        .unwrap_or(bytes.len());
    bytes.split_at(end)
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let start = digits
        .iter()
        .position(|digit| *digit != b'0')
        .unwrap_or(digits.len());
    digits.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// rpm's own test cases (tests/rpmvercmp.at), as facts: left, right, order.
    const CASES: &str = "\
1.0 1.0 =
1.0 2.0 <
2.0 1.0 >
2.0.1 2.0.1 =
2.0 2.0.1 <
2.0.1 2.0 >
2.0.1a 2.0.1a =
2.0.1a 2.0.1 >
2.0.1 2.0.1a <
5.5p1 5.5p1 =
5.5p1 5.5p2 <
5.5p2 5.5p1 >
5.5p10 5.5p10 =
5.5p1 5.5p10 <
5.5p10 5.5p1 >
10xyz 10.1xyz <
10.1xyz 10xyz >
xyz10 xyz10 =
xyz10 xyz10.1 <
xyz10.1 xyz10 >
xyz.4 xyz.4 =
xyz.4 8 <
8 xyz.4 >
xyz.4 2 <
2 xyz.4 >
5.5p2 5.6p1 <
5.6p1 5.5p2 >
5.6p1 6.5p1 <
6.5p1 5.6p1 >
6.0.rc1 6.0 >
6.0 6.0.rc1 <
10b2 10a1 >
10a2 10b2 <
1.0aa 1.0aa =
1.0a 1.0aa <
1.0aa 1.0a >
10.0001 10.0001 =
10.0001 10.1 =
10.1 10.0001 =
10.0001 10.0039 <
10.0039 10.0001 >
4.999.9 5.0 <
5.0 4.999.9 >
20101121 20101121 =
20101121 20101122 <
20101122 20101121 >
2_0 2_0 =
2.0 2_0 =
2_0 2.0 =
a a =
a+ a+ =
a+ a_ =
a_ a+ =
+a +a =
+a _a =
_a +a =
+_ +_ =
_+ +_ =
_+ _+ =
+ _ =
_ + =
1.0~rc1 1.0~rc1 =
1.0~rc1 1.0 <
1.0 1.0~rc1 >
1.0~rc1 1.0~rc2 <
1.0~rc2 1.0~rc1 >
1.0~rc1~git123 1.0~rc1~git123 =
1.0~rc1~git123 1.0~rc1 <
1.0~rc1 1.0~rc1~git123 >
1.0^ 1.0^ =
1.0^ 1.0 >
1.0 1.0^ <
1.0^git1 1.0^git1 =
1.0^git1 1.0 >
1.0 1.0^git1 <
1.0^git1 1.0^git2 <
1.0^git2 1.0^git1 >
1.0^git1 1.01 <
1.01 1.0^git1 >
1.0^20160101 1.0^20160101 =
1.0^20160101 1.0.1 <
1.0.1 1.0^20160101 >
1.0^20160101^git1 1.0^20160101^git1 =
1.0^20160102 1.0^20160101^git1 >
1.0^20160101^git1 1.0^20160102 <
1.0~rc1^git1 1.0~rc1^git1 =
1.0~rc1^git1 1.0~rc1 >
1.0~rc1 1.0~rc1^git1 <
1.0^git1~pre 1.0^git1~pre =
1.0^git1 1.0^git1~pre >
1.0^git1~pre 1.0^git1 <
1b.fc17 1b.fc17 =
1b.fc17 1.fc17 <
1.fc17 1b.fc17 >
1g.fc17 1g.fc17 =
1g.fc17 1.fc17 >
1.fc17 1g.fc17 <
1.1.α 1.1.α =
1.1.α 1.1.β =
1.1.β 1.1.α =
1.1.αα 1.1.α =
1.1.α 1.1.ββ =
1.1.ββ 1.1.αα =";

    #[test]
    fn versions_are_ordered_as_rpm_orders_them() {
        for line in CASES.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [a, b, order] = words[..] else {
                panic!("{line}")
            };
            let wanted = match order {
                "<" => Ordering::Less,
                "=" => Ordering::Equal,
                _ => Ordering::Greater,
            };
            assert_eq!(rpmvercmp(a, b), wanted, "{line}");
        }
    }

    #[test]
    fn texts_are_split_as_rpm_splits_them() {
        for (text, epoch, version, release) in [
            ("1.0", None, "1.0", None),
            ("1.0-2.fc43", None, "1.0", Some("2.fc43")),
            ("3:1.0-2", Some(3), "1.0", Some("2")),
            (":1.0", Some(0), "1.0", None),
            ("a:1.0", None, "a:1.0", None),
            ("1.0-2-3", None, "1.0-2", Some("3")),
            ("99999999999:1", Some(u32::MAX), "1", None),
            ("", None, "", None),
        ] {
            let evr = Evr::parse(text);
            assert_eq!((evr.epoch, evr.version, evr.release), (epoch, version, release));
        }
        assert_eq!(Evr::parse("3:1.0-2").to_string(), "3:1.0-2");
    }

    #[test]
    fn an_epoch_outweighs_everything() {
        let order = |a: &str, b: &str| Evr::parse(a).compare(&Evr::parse(b));
        assert_eq!(order("1:1.0-1", "2.0-1"), Ordering::Greater);
        assert_eq!(order("0:1.0-1", "1.0-1"), Ordering::Equal);
        assert_eq!(order("1.0-1", "1.0-2"), Ordering::Less);
        assert_eq!(order("1.0", "1.0-2"), Ordering::Equal);
    }

    proptest! {
        #[test]
        fn the_order_is_one(a in "[0-9a-c.~^_]{0,12}", b in "[0-9a-c.~^_]{0,12}") {
            prop_assert_eq!(rpmvercmp(&a, &b), rpmvercmp(&b, &a).reverse());
            prop_assert_eq!(rpmvercmp(&a, &a), Ordering::Equal);
        }
    }
}
