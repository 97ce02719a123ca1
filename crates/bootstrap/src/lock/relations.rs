//! What packages want of each other, as `lock --upgrade PKG` needs it: the same for both families.

use bareroot_deb::relation::{self, Op};
use bareroot_rpm::rich::{self, Rich};
use bareroot_rpm::{Evr, Sense, overlap};
use bareroot_rpm_repo::{Package, RelationKind};

/// What a package wants of others, and is for them.
#[derive(Clone, Debug, Default)]
pub struct Relations {
    /// What it cannot do without.
    pub needs: Vec<Need>,
    /// What cannot be beside it.
    pub breaks: Vec<Claim>,
    /// What it is besides its own name. RPM packages have their paths among it, as far as the metadata has them.
    pub provides: Vec<Claim>,
}

/// Something that must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// A package.
    One(Claim),
    /// All of them.
    All(Vec<Need>),
    /// One of them, the first rather than the last.
    Any(Vec<Need>),
    /// The first where the second holds, else the third.
    If(Box<Need>, Box<Need>, Option<Box<Need>>),
}

/// A name with the versions that are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The name.
    pub name: String,
    range: Range,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Range {
    Any,
    Deb(Op, String),
    Rpm(Sense, String),
}

impl Claim {
    /// Whether a package of that name and this version is meant.
    pub fn admits(&self, version: &str) -> bool {
        match &self.range {
            Range::Any => true,
            Range::Deb(operator, wanted) => operator.matches(version, wanted),
            Range::Rpm(sense, wanted) => overlap(*sense, wanted, Sense::EQUAL, version),
        }
    }

    /// Whether no more than one version is meant.
    pub fn is_exact(&self) -> bool {
        match &self.range {
            Range::Any => false,
            Range::Deb(operator, _) => *operator == Op::Eq,
            Range::Rpm(sense, _) => *sense == Sense::EQUAL,
        }
    }

    /// Whether what a package provides is meant. In Debian what has no version is no version (Debian policy 7.5); in RPM it
    /// is every one.
    pub fn is_met_by(&self, provided: &Claim) -> bool {
        self.name == provided.name
            && match (&self.range, &provided.range) {
                (Range::Any, _) => true,
                (Range::Rpm(sense, wanted), Range::Rpm(other, version)) => {
                    overlap(*sense, wanted, *other, version)
                }
                (Range::Rpm(..), Range::Any) => true,
                (_, Range::Deb(_, version)) => self.admits(version),
                (Range::Deb(..), _) => false,
            }
    }

    /// The claim of another version of the same package: what it says by its own version, it says by the other.
    pub fn of_version(&self, own: &str, other: &str) -> Claim {
        let moved = |version: &String| match version == own {
            true => other.to_owned(),
            false => version.clone(),
        };
        Claim {
            name: self.name.clone(),
            range: match &self.range {
                Range::Any => Range::Any,
                Range::Deb(operator, version) => Range::Deb(*operator, moved(version)),
                Range::Rpm(sense, version) => Range::Rpm(*sense, moved(version)),
            },
        }
    }

    fn deb(relation: &relation::Relation<'_>) -> Claim {
        Claim {
            name: relation.name.to_owned(),
            range: match relation.constraint {
                None => Range::Any,
                Some((operator, version)) => Range::Deb(operator, version.to_owned()),
            },
        }
    }

    fn rpm(name: &str, sense: Sense, evr: String) -> Claim {
        Claim {
            name: name.to_owned(),
            range: match sense.comparison() {
                Sense::ANY => Range::Any,
                sense => Range::Rpm(sense, evr),
            },
        }
    }
}

impl Relations {
    /// By the texts of a Debian package's fields. A relation that cannot be read says nothing.
    pub fn deb(needs: &[&str], breaks: &[&str], provides: &str) -> Relations {
        let claims = |field: &str| -> Vec<Claim> {
            relation::groups(field)
                .flat_map(|group| group.alternatives().filter_map(Result::ok).collect::<Vec<_>>())
                .map(|relation| Claim::deb(&relation))
                .collect()
        };
        let need = |group: relation::Group<'_>| {
            let alternatives = group.alternatives().filter_map(Result::ok);
            Need::Any(
                alternatives
                    .map(|relation| Need::One(Claim::deb(&relation)))
                    .collect(),
            )
        };
        Relations {
            needs: needs
                .iter()
                .flat_map(|field| relation::groups(field).map(need).collect::<Vec<_>>())
                .collect(),
            breaks: breaks.iter().flat_map(|field| claims(field)).collect(),
            provides: claims(provides),
        }
    }

    /// Those of an RPM package.
    pub fn rpm(package: &Package<'_>) -> Relations {
        let claims = |kind: RelationKind| {
            package
                .relations(kind)
                .map(|relation| Claim::rpm(relation.name, relation.sense, evr(&relation)))
        };
        let needs = package.relations(RelationKind::Requires);
        let needs = needs.filter(|need| !need.name.starts_with("rpmlib("));
        let need = |relation: bareroot_rpm_repo::Relation<'_>| match rich::parse(relation.name) {
            Ok(rich) => of_rich(&rich),
            Err(_) => Need::One(Claim::rpm(relation.name, relation.sense, evr(&relation))),
        };
        let breaks = claims(RelationKind::Conflicts).chain(claims(RelationKind::Obsoletes));
        let paths = package
            .files()
            .map(|(path, _)| Claim::rpm(path, Sense::ANY, String::new()));
        Relations {
            needs: needs.map(need).collect(),
            breaks: breaks.collect(),
            provides: claims(RelationKind::Provides).chain(paths).collect(),
        }
    }
}

/// A relation's version as a package's own is written: without an epoch that is 0.
fn evr(relation: &bareroot_rpm_repo::Relation<'_>) -> String {
    let epoch = relation.evr.epoch.filter(|epoch| *epoch != 0);
    Evr {
        epoch,
        ..relation.evr
    }
    .to_string()
}

/// What a boolean dependency needs. That one package must be all of `with`, and not what `without` says, is left to the
/// solution that the fresh packages come from.
fn of_rich(rich: &Rich<'_>) -> Need {
    let all = |operands: &[Rich<'_>]| operands.iter().map(of_rich).collect();
    let boxed = |operand: &Rich<'_>| Box::new(of_rich(operand));
    match rich {
        Rich::Simple(simple) => Need::One(Claim::rpm(simple.name, simple.sense, simple.evr.to_owned())),
        Rich::And(operands) | Rich::With(operands) => Need::All(all(operands)),
        Rich::Or(operands) => Need::Any(all(operands)),
        Rich::If(first, second, third) => Need::If(
            boxed(first),
            boxed(second),
            third.as_ref().map(|third| boxed(third)),
        ),
        Rich::Unless(first, second, third) => Need::If(
            third
                .as_ref()
                .map_or(Box::new(Need::All(Vec::new())), |third| boxed(third)),
            boxed(second),
            Some(boxed(first)),
        ),
        Rich::Without(first, _) => of_rich(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rpm(name: &str, operator: &str, evr: &str) -> Claim {
        let sense = Sense::from_operator(operator).unwrap_or_default();
        Claim::rpm(name, sense, evr.to_owned())
    }

    #[test]
    fn what_meets_a_claim() {
        let deb = |text: &str| Claim::deb(&relation::parse(text).unwrap());
        for (wanted, provided, met) in [
            (deb("v"), deb("v"), true),
            (deb("v (>= 2)"), deb("v"), false),
            (deb("v (>= 2)"), deb("v (= 2-1)"), true),
            (deb("v (= 2)"), deb("w (= 2)"), false),
            (rpm("v", ">=", "2"), rpm("v", "", ""), true),
            (rpm("v", ">=", "2"), rpm("v", "=", "1-1"), false),
            (rpm("v", "=", "2"), rpm("v", "=", "2-7"), true),
            (rpm("/bin/sh", "", ""), rpm("/bin/sh", "", ""), true),
        ] {
            assert_eq!(wanted.is_met_by(&provided), met, "{wanted:?} {provided:?}");
        }
        assert!(rpm("v", "=", "2-1").is_exact() && !rpm("v", ">=", "2-1").is_exact());
        let other = rpm("v", "=", "2-1").of_version("2-1", "1-1");
        assert!(other.admits("1-1") && !other.admits("2-1"));
    }

    #[test]
    fn boolean_dependencies() {
        let one = |name: &str| Need::One(rpm(name, "", ""));
        let parse = |text: &str| of_rich(&rich::parse(text).unwrap());
        assert_eq!(parse("(a or b)"), Need::Any(vec![one("a"), one("b")]));
        assert_eq!(
            parse("(a if b)"),
            Need::If(Box::new(one("a")), Box::new(one("b")), None)
        );
        let nothing = Box::new(Need::All(Vec::new()));
        assert_eq!(
            parse("(a unless b)"),
            Need::If(nothing, Box::new(one("b")), Some(Box::new(one("a"))))
        );
        assert_eq!(parse("(a without b)"), one("a"));
    }
}
