use std::collections::BTreeMap;
use std::fmt;

use crate::choice::Choice;
use crate::verdict::Ending;

/// What came of the seeds.
#[derive(Debug, Default)]
pub struct Tally {
    endings: BTreeMap<&'static str, BTreeMap<String, usize>>,
    findings: Vec<String>,
}

impl Tally {
    pub fn note(&mut self, choice: &Choice, ending: &Ending) {
        *self
            .endings
            .entry(choice.trouble.kind())
            .or_default()
            .entry(ending.words())
            .or_default() += 1;
    }

    pub fn failed(&mut self, words: String) {
        self.findings.push(words);
    }

    pub fn findings(&self) -> &[String] {
        &self.findings
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all: BTreeMap<&str, usize> = BTreeMap::new();
        let line = |f: &mut fmt::Formatter<'_>, kind: &str, counts: &[(&str, usize)]| {
            let runs: usize = counts.iter().map(|(_, count)| count).sum();
            let words: Vec<String> = counts
                .iter()
                .map(|(words, count)| format!("{words} {count}"))
                .collect();
            writeln!(f, "  {kind:32} {runs:4} runs: {}", words.join(", "))
        };
        for (kind, endings) in &self.endings {
            let counts: Vec<(&str, usize)> = endings
                .iter()
                .map(|(words, count)| (words.as_str(), *count))
                .collect();
            for (words, count) in &counts {
                *all.entry(words).or_default() += count;
            }
            line(f, kind, &counts)?;
        }
        line(f, "all", &all.into_iter().collect::<Vec<_>>())
    }
}
