use crate::packages::Index;

/// Where packages come from, as far as it decides which version of a package is preferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The release's `Suite` (`stable`), apt's archive.
    pub suite: String,
    /// The release's `Codename` (`trixie`).
    pub codename: String,
    /// The release's `Version` (`13.1`).
    pub version: String,
    /// The pin: the version of the source with the highest one is taken. See [`Source::default_priority`].
    pub priority: i32,
    /// Whether these are files that the user named.
    pub local: bool,
}

impl Source {
    /// A source of this suite and codename with the usual priority.
    pub fn new(suite: impl Into<String>) -> Self {
        let suite = suite.into();
        Source {
            codename: suite.clone(),
            suite,
            version: String::new(),
            priority: 500,
            local: false,
        }
    }

    /// Local files: nothing is preferred to them.
    pub fn local() -> Self {
        Source {
            suite: String::new(),
            codename: String::new(),
            version: String::new(),
            priority: i32::MAX,
            local: true,
        }
    }

    /// The priority that apt_preferences(5) gives to a source by itself: 1 with `NotAutomatic: yes`, 100 with
    /// `ButAutomaticUpgrades: yes` as well, else 500. The target release has 990.
    pub fn default_priority(not_automatic: bool, but_automatic_upgrades: bool) -> i32 {
        match (not_automatic, but_automatic_upgrades) {
            (_, true) => 100,
            (true, false) => 1,
            (false, false) => 500,
        }
    }

    /// Whether a word on apt's command line (`pkg/WORD`) means this source: its suite, its codename, or, when it
    /// starts with a digit, its version.
    pub(super) fn is_release(&self, word: &str) -> bool {
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return match word.strip_suffix('*') {
                Some(start) => self.version.starts_with(start),
                None => self.version == word,
            };
        }
        self.is_suite(word)
    }

    pub(super) fn is_suite(&self, word: &str) -> bool {
        !word.is_empty()
            && (self.suite.eq_ignore_ascii_case(word) || self.codename.eq_ignore_ascii_case(word))
    }
}

/// The packages to choose from.
#[derive(Clone, Copy, Debug)]
pub struct Universe<'a> {
    pub(super) indexes: &'a [Index],
    sources: &'a [Source],
}

impl<'a> Universe<'a> {
    /// The indexes in the order of the sources that apt would read, local ones last. Each index's
    /// [`source`](crate::packages::IndexInfo::source) is a place in `sources`.
    pub fn new(indexes: &'a [Index], sources: &'a [Source]) -> Self {
        Universe { indexes, sources }
    }

    /// The source of the index at this place.
    pub(super) fn source(&self, place: usize) -> Option<&'a Source> {
        self.sources.get(self.indexes.get(place)?.info().source as usize)
    }

    /// The priority of the index at this place; an index of no known source has the usual one.
    pub(super) fn priority(&self, place: usize) -> i32 {
        self.source(place).map_or(500, |source| source.priority)
    }

    /// How messages name where versions are sought: the suites.
    pub(super) fn title(&self) -> String {
        let mut names: Vec<&str> = self
            .sources
            .iter()
            .filter(|s| !s.local)
            .map(|s| s.codename.as_str())
            .collect();
        names.retain(|name| !name.is_empty());
        names.dedup();
        match names.as_slice() {
            [] => "the index".to_owned(),
            _ => names.join(", "),
        }
    }
}
