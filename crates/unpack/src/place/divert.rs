use std::collections::HashMap;

/// One diversion (`dpkg-divert`): other packages' `from` goes to `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversion {
    /// The path that packages ship (`/bin/sh`).
    pub from: Vec<u8>,
    /// Where it goes instead.
    pub to: Vec<u8>,
    /// The package that diverts, whose own `from` stays; `None` for a local diversion, which holds for all.
    pub package: Option<String>,
}

/// The diversions that hold in a root.
#[derive(Clone, Debug, Default)]
pub struct Diversions {
    by_from: HashMap<Vec<u8>, Diversion>,
    from_by_to: HashMap<Vec<u8>, Vec<u8>>,
}

impl Diversions {
    /// Where `path` of `package` goes, where that is elsewhere.
    pub(crate) fn target(&self, path: &[u8], package: &str) -> Option<&[u8]> {
        let diversion = self.by_from.get(path)?;
        (diversion.package.as_deref() != Some(package)).then_some(&diversion.to)
    }

    /// The diversion of `path`, whoever ships it.
    pub(crate) fn of(&self, path: &[u8]) -> Option<&Diversion> {
        self.by_from.get(path)
    }

    /// The diversion that leads to `path`.
    pub(crate) fn leading_to(&self, path: &[u8]) -> Option<&Diversion> {
        self.by_from.get(self.from_by_to.get(path)?)
    }
}

impl FromIterator<Diversion> for Diversions {
    fn from_iter<I: IntoIterator<Item = Diversion>>(diversions: I) -> Self {
        let mut all = Diversions::default();
        for diversion in diversions {
            all.from_by_to
                .insert(diversion.to.clone(), diversion.from.clone());
            all.by_from.insert(diversion.from.clone(), diversion);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_diverting_package_keeps_its_own() {
        let all: Diversions = [
            Diversion {
                from: b"/bin/sh".into(),
                to: b"/bin/sh.distrib".into(),
                package: Some("dash".into()),
            },
            Diversion {
                from: b"/sbin/init".into(),
                to: b"/sbin/init.real".into(),
                package: None,
            },
        ]
        .into_iter()
        .collect();
        assert_eq!(all.target(b"/bin/sh", "bash"), Some(&b"/bin/sh.distrib"[..]));
        assert_eq!(all.target(b"/bin/sh", "dash"), None);
        assert_eq!(all.target(b"/sbin/init", "dash"), Some(&b"/sbin/init.real"[..]));
        assert_eq!(all.target(b"/bin/other", "bash"), None);
        assert_eq!(
            all.leading_to(b"/bin/sh.distrib").map(|d| &d.from[..]),
            Some(&b"/bin/sh"[..])
        );
        assert_eq!(all.leading_to(b"/bin/sh"), None);
    }
}
