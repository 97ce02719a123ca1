/// How much a system needs a package (Policy 2.5), the most needed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// `required`: without it the system does not work.
    Required,
    /// `important`: expected on any such system.
    Important,
    /// `standard`: a reasonable small system without a graphical surface.
    Standard,
    /// `optional`: most packages.
    Optional,
    /// `extra`: an old word for `optional`.
    Extra,
    /// No priority, or none that is known.
    Unknown,
}

impl Priority {
    pub(super) const ALL: [Priority; 6] = [
        Priority::Required,
        Priority::Important,
        Priority::Standard,
        Priority::Optional,
        Priority::Extra,
        Priority::Unknown,
    ];

    /// The priority that a field's value names, in any case of letters.
    pub fn from_word(word: &str) -> Priority {
        let known = |p: &&Priority| p.word().is_some_and(|w| w.eq_ignore_ascii_case(word));
        Priority::ALL
            .iter()
            .find(known)
            .copied()
            .unwrap_or(Priority::Unknown)
    }

    /// The word in the index; `None` for [`Priority::Unknown`].
    pub fn word(self) -> Option<&'static str> {
        match self {
            Priority::Required => Some("required"),
            Priority::Important => Some("important"),
            Priority::Standard => Some("standard"),
            Priority::Optional => Some("optional"),
            Priority::Extra => Some("extra"),
            Priority::Unknown => None,
        }
    }
}

/// How a package relates to packages of other architectures (deb-control(5), `Multi-Arch`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MultiArch {
    /// `no`, or no field: serves its own architecture only.
    No,
    /// `same`: can stand beside itself for other architectures.
    Same,
    /// `foreign`: serves every architecture.
    Foreign,
    /// `allowed`: serves other architectures where they ask with `:any`.
    Allowed,
}

impl MultiArch {
    pub(super) const ALL: [MultiArch; 4] = [
        MultiArch::No,
        MultiArch::Same,
        MultiArch::Foreign,
        MultiArch::Allowed,
    ];

    /// The value that a field's text names; [`MultiArch::No`] for what is not known, as apt has it.
    pub fn from_word(word: &str) -> MultiArch {
        let known = |m: &&MultiArch| m.word().eq_ignore_ascii_case(word);
        MultiArch::ALL
            .iter()
            .find(known)
            .copied()
            .unwrap_or(MultiArch::No)
    }

    /// The word in the index.
    pub fn word(self) -> &'static str {
        match self {
            MultiArch::No => "no",
            MultiArch::Same => "same",
            MultiArch::Foreign => "foreign",
            MultiArch::Allowed => "allowed",
        }
    }
}
