//! The scriptlets and triggers of a header.

use super::Header;
use crate::dependency::{Dependency, Sense};
use crate::tag::Tag;

/// When a scriptlet runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScriptletKind {
    /// Before the whole transaction.
    Pretrans,
    /// Before the package's files are there.
    Pre,
    /// After they are.
    Post,
    /// After the whole transaction.
    Posttrans,
}

impl ScriptletKind {
    /// As spec files write it.
    pub fn word(self) -> &'static str {
        match self {
            ScriptletKind::Pretrans => "%pretrans",
            ScriptletKind::Pre => "%pre",
            ScriptletKind::Post => "%post",
            ScriptletKind::Posttrans => "%posttrans",
        }
    }

    fn tags(self) -> [Tag; 3] {
        match self {
            ScriptletKind::Pretrans => [Tag::PRETRANS, Tag::PRETRANSPROG, Tag::PRETRANSFLAGS],
            ScriptletKind::Pre => [Tag::PREIN, Tag::PREINPROG, Tag::PREINFLAGS],
            ScriptletKind::Post => [Tag::POSTIN, Tag::POSTINPROG, Tag::POSTINFLAGS],
            ScriptletKind::Posttrans => [Tag::POSTTRANS, Tag::POSTTRANSPROG, Tag::POSTTRANSFLAGS],
        }
    }
}

/// A scriptlet's body and how it is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scriptlet<'h> {
    /// Interpreter and its arguments; `/bin/sh` where the header names none.
    pub program: Vec<&'h [u8]>,
    /// The body; `None` where the interpreter runs alone.
    pub body: Option<&'h [u8]>,
    /// What is done to the body first: 1 expands macros, 2 fills in the header's tags; 4 makes a failure fatal.
    pub flags: u32,
}

/// What a trigger waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TriggerCondition<'h> {
    /// Package and range of versions; its sense says at which moment the trigger runs as well.
    pub on: Dependency<'h>,
    /// The place of the condition in the header's list.
    pub place: usize,
}

/// A trigger on packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger<'h> {
    /// What it waits for: any of them.
    pub conditions: Vec<TriggerCondition<'h>>,
    /// What it runs.
    pub script: Scriptlet<'h>,
}

/// A trigger on files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTrigger<'h> {
    /// Path prefixes.
    pub prefixes: Vec<&'h [u8]>,
    /// The moments at which it runs.
    pub sense: Sense,
    /// The higher, the earlier.
    pub priority: u32,
    /// What it runs.
    pub script: Scriptlet<'h>,
}

impl Header {
    /// The scriptlet of a kind.
    pub fn scriptlet(&self, kind: ScriptletKind) -> Option<Scriptlet<'_>> {
        let [body, program, flags] = kind.tags();
        if !self.has(body) && !self.has(program) {
            return None;
        }
        let mut program = self.strings(program);
        if program.is_empty() {
            program.push(b"/bin/sh");
        }
        Some(Scriptlet {
            program,
            body: self.string(body),
            flags: self.number(flags).unwrap_or_default() as u32,
        })
    }

    /// The triggers on packages.
    pub fn triggers(&self) -> Vec<Trigger<'_>> {
        let scripts = self.scripts(
            Tag::TRIGGERSCRIPTS,
            Tag::TRIGGERSCRIPTPROG,
            Tag::TRIGGERSCRIPTFLAGS,
        );
        let mut triggers: Vec<Trigger<'_>> = scripts
            .into_iter()
            .map(|script| Trigger {
                conditions: Vec::new(),
                script,
            })
            .collect();
        let flags = self.u32s(Tag::TRIGGERFLAGS);
        let versions = self.texts(Tag::TRIGGERVERSION);
        let index = self.u32s(Tag::TRIGGERINDEX);
        for (place, name) in self.texts(Tag::TRIGGERNAME).into_iter().enumerate() {
            let script = index.get(place).copied().unwrap_or_default();
            if let Some(trigger) = triggers.get_mut(script as usize) {
                trigger.conditions.push(TriggerCondition {
                    on: Dependency {
                        name,
                        sense: Sense(flags.get(place).copied().unwrap_or_default()),
                        evr: versions.get(place).copied().unwrap_or_default(),
                    },
                    place,
                });
            }
        }
        triggers
    }

    /// The triggers on files that run with each package.
    pub fn file_triggers(&self) -> Vec<FileTrigger<'_>> {
        let scripts = self.scripts(
            Tag::FILETRIGGERSCRIPTS,
            Tag::FILETRIGGERSCRIPTPROG,
            Tag::FILETRIGGERSCRIPTFLAGS,
        );
        self.on_files(
            scripts,
            [Tag::FILETRIGGERNAME, Tag::FILETRIGGERINDEX, Tag::FILETRIGGERFLAGS],
            Tag::FILETRIGGERPRIORITIES,
        )
    }

    /// The triggers on files that run once, after the transaction.
    pub fn transaction_file_triggers(&self) -> Vec<FileTrigger<'_>> {
        let scripts = self.scripts(
            Tag::TRANSFILETRIGGERSCRIPTS,
            Tag::TRANSFILETRIGGERSCRIPTPROG,
            Tag::TRANSFILETRIGGERSCRIPTFLAGS,
        );
        self.on_files(
            scripts,
            [
                Tag::TRANSFILETRIGGERNAME,
                Tag::TRANSFILETRIGGERINDEX,
                Tag::TRANSFILETRIGGERFLAGS,
            ],
            Tag::TRANSFILETRIGGERPRIORITIES,
        )
    }

    fn scripts(&self, bodies: Tag, programs: Tag, flags: Tag) -> Vec<Scriptlet<'_>> {
        let programs = self.strings(programs);
        let flags = self.u32s(flags);
        self.strings(bodies)
            .into_iter()
            .enumerate()
            .map(|(place, body)| Scriptlet {
                program: vec![
                    programs
                        .get(place)
                        .copied()
                        .filter(|program| !program.is_empty())
                        .unwrap_or(b"/bin/sh"),
                ],
                // rpm hands even an empty body over.
                body: Some(body),
                flags: flags.get(place).copied().unwrap_or_default(),
            })
            .collect()
    }

    fn on_files<'h>(
        &'h self,
        scripts: Vec<Scriptlet<'h>>,
        [names, index, flags]: [Tag; 3],
        priorities: Tag,
    ) -> Vec<FileTrigger<'h>> {
        /// What rpmbuild writes where the spec file names none.
        const DEFAULT_PRIORITY: u32 = 1_000_000;
        let priorities = self.u32s(priorities);
        let mut triggers: Vec<FileTrigger<'h>> = scripts
            .into_iter()
            .enumerate()
            .map(|(place, script)| FileTrigger {
                prefixes: Vec::new(),
                sense: Sense::ANY,
                priority: priorities.get(place).copied().unwrap_or(DEFAULT_PRIORITY),
                script,
            })
            .collect();
        let flags = self.u32s(flags);
        let index = self.u32s(index);
        for (place, prefix) in self.strings(names).into_iter().enumerate() {
            let script = index.get(place).copied().unwrap_or_default();
            if let Some(trigger) = triggers.get_mut(script as usize) {
                trigger.prefixes.push(prefix);
                trigger.sense |= Sense(flags.get(place).copied().unwrap_or_default());
            }
        }
        triggers
    }
}
