use std::collections::BTreeMap;
use std::fmt;

use super::job::Job;
use super::worker::Ending;

/// What was done, how often, and how it ended.
#[derive(Default)]
pub struct Table {
    rows: BTreeMap<&'static str, BTreeMap<Ending, usize>>,
    /// What is not as it should be.
    pub findings: Vec<String>,
}

impl Table {
    pub fn note(&mut self, what: &'static str, ending: Ending) {
        *self.rows.entry(what).or_default().entry(ending).or_default() += 1;
    }

    pub fn find(&mut self, job: Job, words: String) {
        println!("FAIL {}: {words}", job.words());
        self.findings.push(words);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | runs | done | refused | SIGTERM | SIGKILL |")?;
        writeln!(f, "|---|---:|---:|---|---:|---:|")?;
        for (what, endings) in &self.rows {
            let count = |ending| endings.get(&ending).copied().unwrap_or(0);
            let refused: Vec<String> = endings
                .iter()
                .filter_map(|(ending, count)| match ending {
                    Ending::Refused(code) => Some(format!("{count} with {code}")),
                    _ => None,
                })
                .collect();
            writeln!(
                f,
                "| {what} | {} | {} | {} | {} | {} |",
                endings.values().sum::<usize>(),
                count(Ending::Done),
                refused.join(", "),
                count(Ending::Terminated),
                count(Ending::Killed)
            )?;
        }
        Ok(())
    }
}
