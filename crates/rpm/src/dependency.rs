//! What a package provides, requires, conflicts with: a name and, perhaps, a range of versions (rpm-dependencies(7)).

use std::cmp::Ordering;
use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign};

use crate::evr::{Evr, rpmvercmp};

/// The flags of a dependency (rpmsenseFlags): which versions it covers, and what it is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Sense(pub u32);

impl Sense {
    /// Any version.
    pub const ANY: Sense = Sense(0);
    /// Smaller versions.
    pub const LESS: Sense = Sense(1 << 1);
    /// Larger versions.
    pub const GREATER: Sense = Sense(1 << 2);
    /// That version.
    pub const EQUAL: Sense = Sense(1 << 3);
    /// The three of them.
    pub const SENSE_MASK: Sense = Sense(0b1110);
    /// For %posttrans.
    pub const POSTTRANS: Sense = Sense(1 << 5);
    /// A prerequisite of old packages.
    pub const PREREQ: Sense = Sense(1 << 6);
    /// For %pretrans.
    pub const PRETRANS: Sense = Sense(1 << 7);
    /// A scriptlet's interpreter.
    pub const INTERP: Sense = Sense(1 << 8);
    /// For %pre.
    pub const SCRIPT_PRE: Sense = Sense(1 << 9);
    /// For %post.
    pub const SCRIPT_POST: Sense = Sense(1 << 10);
    /// For %preun.
    pub const SCRIPT_PREUN: Sense = Sense(1 << 11);
    /// For %postun.
    pub const SCRIPT_POSTUN: Sense = Sense(1 << 12);
    /// For %verifyscript.
    pub const SCRIPT_VERIFY: Sense = Sense(1 << 13);
    /// Found by rpmbuild.
    pub const FIND_REQUIRES: Sense = Sense(1 << 14);
    /// Found by rpmbuild.
    pub const FIND_PROVIDES: Sense = Sense(1 << 15);
    /// A trigger that runs on installation.
    pub const TRIGGERIN: Sense = Sense(1 << 16);
    /// A trigger that runs before removal.
    pub const TRIGGERUN: Sense = Sense(1 << 17);
    /// A trigger that runs after removal.
    pub const TRIGGERPOSTUN: Sense = Sense(1 << 18);
    /// It may be missing.
    pub const MISSINGOK: Sense = Sense(1 << 19);
    /// For %preuntrans.
    pub const PREUNTRANS: Sense = Sense(1 << 20);
    /// For %postuntrans.
    pub const POSTUNTRANS: Sense = Sense(1 << 21);
    /// On a feature of rpm.
    pub const RPMLIB: Sense = Sense(1 << 24);
    /// A trigger that runs before installation.
    pub const TRIGGERPREIN: Sense = Sense(1 << 25);
    /// On a key of the keyring.
    pub const KEYRING: Sense = Sense(1 << 26);
    /// Strong, in packages that have weak dependencies in the old SUSE way.
    pub const STRONG: Sense = Sense(1 << 27);
    /// On a configuration file's package.
    pub const CONFIG: Sense = Sense(1 << 28);
    /// Of a package without content: it says nothing of the order.
    pub const META: Sense = Sense(1 << 29);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Sense) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether a bit of `other` is set.
    pub const fn intersects(self, other: Sense) -> bool {
        self.0 & other.0 != 0
    }

    /// LESS, GREATER and EQUAL alone.
    pub const fn comparison(self) -> Sense {
        Sense(self.0 & Sense::SENSE_MASK.0)
    }

    /// The operator as it is written: `<`, `<=`, `=`, `>=`, `>`; nothing for any version.
    pub const fn operator(self) -> &'static str {
        match self.0 & Sense::SENSE_MASK.0 {
            0b0010 => "<",
            0b0100 => ">",
            0b1000 => "=",
            0b1010 => "<=",
            0b1100 => ">=",
            0b0110 | 0b1110 => "<>",
            _ => "",
        }
    }

    /// The comparison that an operator stands for.
    pub fn from_operator(text: &str) -> Option<Sense> {
        Some(match text {
            "<" => Sense::LESS,
            ">" => Sense::GREATER,
            "=" | "==" => Sense::EQUAL,
            "<=" | "=<" => Sense::LESS | Sense::EQUAL,
            ">=" | "=>" => Sense::GREATER | Sense::EQUAL,
            _ => return None,
        })
    }
}

impl BitOr for Sense {
    type Output = Sense;

    fn bitor(self, other: Sense) -> Sense {
        Sense(self.0 | other.0)
    }
}

impl BitOrAssign for Sense {
    fn bitor_assign(&mut self, other: Sense) {
        self.0 |= other.0;
    }
}

impl BitAnd for Sense {
    type Output = Sense;

    fn bitand(self, other: Sense) -> Sense {
        Sense(self.0 & other.0)
    }
}

impl fmt::Debug for Sense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sense({:#x})", self.0)
    }
}

/// One dependency as a header states it. A rich one has its whole text, parentheses included, as its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Dependency<'a> {
    /// The name.
    pub name: &'a str,
    /// The flags.
    pub sense: Sense,
    /// The version, empty without one.
    pub evr: &'a str,
}

impl<'a> Dependency<'a> {
    /// Whether it is a boolean dependency.
    pub fn is_rich(&self) -> bool {
        self.name.starts_with('(')
    }

    /// Whether there is a version that both cover, their names being equal.
    pub fn overlaps(&self, other: &Dependency<'_>) -> bool {
        self.name == other.name && overlap(self.sense, self.evr, other.sense, other.evr)
    }
}

impl fmt::Display for Dependency<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        match self.sense.operator() {
            "" => Ok(()),
            operator => write!(f, " {operator} {}", self.evr),
        }
    }
}

/// Whether two ranges of versions overlap, by rpm's rules (rpmdsCompareEVR): a range without version covers every version;
/// where only one side has an epoch and it is not 0, the epoch decides; a release counts only where both have one.
pub fn overlap(a_sense: Sense, a_evr: &str, b_sense: Sense, b_evr: &str) -> bool {
    let (a_sense, b_sense) = (a_sense.comparison(), b_sense.comparison());
    if a_sense == Sense::ANY || b_sense == Sense::ANY || a_evr.is_empty() || b_evr.is_empty() {
        return true;
    }
    ranges_overlap(a_sense, &Evr::parse(a_evr), b_sense, &Evr::parse(b_evr))
}

/// [`overlap`] for versions that are split already, both senses having a comparison.
pub fn ranges_overlap(a_sense: Sense, a: &Evr<'_>, b_sense: Sense, b: &Evr<'_>) -> bool {
    let epochs = match (a.epoch.unwrap_or(0), b.epoch.unwrap_or(0)) {
        (a, b) if a < b => Ordering::Less,
        (a, b) if a > b => Ordering::Greater,
        _ => Ordering::Equal,
    };
    let mut order = epochs.then_with(|| rpmvercmp(a.version, b.version));
    if order.is_eq() {
        order = match (a.release, b.release) {
            (Some(a), Some(b)) => rpmvercmp(a, b),
            // `= 1.0` covers every release of 1.0.
            (None, Some(_)) if a_sense.contains(Sense::EQUAL) => return true,
            (Some(_), None) if b_sense.contains(Sense::EQUAL) => return true,
            _ => Ordering::Equal,
        };
    }
    match order {
        Ordering::Less => a_sense.contains(Sense::GREATER) || b_sense.contains(Sense::LESS),
        Ordering::Greater => a_sense.contains(Sense::LESS) || b_sense.contains(Sense::GREATER),
        Ordering::Equal => (a_sense & b_sense) != Sense::ANY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meet(a: &str, b: &str) -> bool {
        let split = |text: &str| {
            let (operator, evr) = text.split_once(' ').unwrap_or((text, ""));
            (
                Sense::from_operator(operator).unwrap_or(Sense::ANY),
                evr.to_owned(),
            )
        };
        let ((a_sense, a_evr), (b_sense, b_evr)) = (split(a), split(b));
        overlap(a_sense, &a_evr, b_sense, &b_evr)
    }

    #[test]
    fn ranges_overlap_as_rpm_has_it() {
        for (a, b, wanted) in [
            ("= 1.0-1", "= 1.0-1", true),
            ("= 1.0-1", "= 1.0-2", false),
            ("= 1.0-1", "= 1.0", true),
            ("= 1.0", ">= 1.0-3", true),
            ("= 1.0-1", "> 1.0", false),
            ("= 1.0-1", ">= 1.0", true),
            ("= 1.0-1", "< 1.0", false),
            ("= 1.0-1", "<= 1.0", true),
            ("= 1.0-1", "< 1.1", true),
            ("= 1:1.0-1", ">= 2.0", true),
            ("= 1.0-1", ">= 1:0.5", false),
            ("= 0:1.0-1", "= 1.0-1", true),
            ("> 1.0", "< 2.0", true),
            ("> 2.0", "< 1.0", false),
            (">= 1.0", "<= 1.0", true),
            ("> 1.0", "<= 1.0", false),
            ("> 1.0", ">= 1.0", true),
            ("", "= 5", true),
            ("= 1.0", "", true),
            ("= 1.0~rc1-1", ">= 1.0", false),
            ("= 1.0^git1-1", "> 1.0", true),
        ] {
            assert_eq!(meet(a, b), wanted, "{a} | {b}");
            assert_eq!(meet(b, a), wanted, "{b} | {a}");
        }
    }

    #[test]
    fn names_must_be_equal() {
        let of = |name| Dependency {
            name,
            ..Dependency::default()
        };
        assert!(of("a").overlaps(&of("a")));
        assert!(!of("a").overlaps(&of("b")));
        assert!(of("(a or b)").is_rich());
    }

    #[test]
    fn a_dependency_as_it_is_written() {
        let dependency = Dependency {
            name: "bash",
            sense: Sense::GREATER | Sense::EQUAL | Sense::SCRIPT_POST,
            evr: "5.2",
        };
        assert_eq!(dependency.to_string(), "bash >= 5.2");
        for operator in ["<", "<=", "=", ">=", ">"] {
            assert_eq!(
                Sense::from_operator(operator).map(Sense::operator),
                Some(operator)
            );
        }
    }
}
