//! Scriptlets and triggers.

use super::header::{Entries, Value};

/// When a scriptlet runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// `%pretrans`.
    Pretrans,
    /// `%pre`.
    Pre,
    /// `%post`.
    Post,
    /// `%preun`.
    Preun,
    /// `%postun`.
    Postun,
    /// `%posttrans`.
    Posttrans,
}

impl When {
    /// The tags of body, program and flags.
    fn tags(self) -> [u32; 3] {
        match self {
            When::Pre => [1023, 1085, 5020],
            When::Post => [1024, 1086, 5021],
            When::Preun => [1025, 1087, 5022],
            When::Postun => [1026, 1088, 5023],
            When::Pretrans => [1151, 1153, 5024],
            When::Posttrans => [1152, 1154, 5025],
        }
    }
}

/// A scriptlet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scriptlet {
    pub(super) when: When,
    pub(super) program: Vec<String>,
    pub(super) body: Option<String>,
    pub(super) flags: u32,
}

impl Scriptlet {
    pub(super) fn put(&self, entries: &mut Entries) {
        let [body, program, flags] = self.when.tags();
        if let Some(text) = &self.body {
            entries.insert(body, text.as_str().into());
        }
        // rpmbuild writes one word as a text, several as a list.
        let words = match self.program.as_slice() {
            [word] => word.as_str().into(),
            words => words.iter().collect(),
        };
        entries.insert(program, words);
        if self.flags != 0 {
            entries.insert(flags, self.flags.into());
        }
    }
}

/// What a trigger waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// `%triggerprein`.
    PackagesBefore,
    /// `%triggerin`.
    Packages,
    /// `%filetriggerin`.
    Files,
    /// `%transfiletriggerin`.
    FilesOfAll,
}

impl On {
    /// The tags of scripts, programs, names, indexes, versions and flags; priorities.
    fn tags(self) -> ([u32; 6], Option<u32>) {
        match self {
            On::Packages | On::PackagesBefore => ([1065, 1092, 1066, 1069, 1067, 1068], None),
            On::Files => ([5066, 5067, 5069, 5070, 5071, 5072], Some(5084)),
            On::FilesOfAll => ([5076, 5077, 5079, 5080, 5081, 5082], Some(5085)),
        }
    }

    fn sense(self) -> u32 {
        match self {
            On::PackagesBefore => 1 << 25,
            _ => 1 << 16,
        }
    }
}

/// A trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trigger {
    pub(super) on: On,
    /// Names of packages, or prefixes of paths.
    pub(super) names: Vec<String>,
    pub(super) priority: u32,
    pub(super) program: String,
    pub(super) body: String,
}

/// Puts all triggers into a header.
pub(super) fn put(triggers: &[Trigger], entries: &mut Entries) {
    let groups: [&[On]; 3] = [
        &[On::Packages, On::PackagesBefore],
        &[On::Files],
        &[On::FilesOfAll],
    ];
    for group in groups {
        let own: Vec<&Trigger> = triggers
            .iter()
            .filter(|trigger| group.contains(&trigger.on))
            .collect();
        if own.is_empty() {
            continue;
        }
        let ([scripts, programs, names, indexes, versions, flags], priorities) = group[0].tags();
        let conditions = || {
            let numbered = own.iter().zip(0u32..);
            numbered.flat_map(|(trigger, number)| {
                trigger
                    .names
                    .iter()
                    .map(move |name| (name, number, trigger.on.sense()))
            })
        };
        entries.insert(scripts, own.iter().map(|trigger| &trigger.body).collect());
        entries.insert(programs, own.iter().map(|trigger| &trigger.program).collect());
        entries.insert(names, conditions().map(|(name, ..)| name).collect());
        entries.insert(versions, conditions().map(|_| "").collect());
        entries.insert(
            indexes,
            Value::Int32(conditions().map(|(_, number, _)| number).collect()),
        );
        entries.insert(
            flags,
            Value::Int32(conditions().map(|(_, _, sense)| sense).collect()),
        );
        if let Some(priorities) = priorities {
            let all = own.iter().map(|trigger| trigger.priority).collect();
            entries.insert(priorities, Value::Int32(all));
        }
    }
}
