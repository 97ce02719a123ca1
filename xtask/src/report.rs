//! One line a check, and a closing line.

use anyhow::{Result, bail};

/// How many lines of a failure's evidence are shown.
const EVIDENCE: usize = 60;

/// What was checked, and how it went.
#[derive(Debug, Default)]
pub struct Report {
    passed: usize,
    failed: Vec<String>,
    skipped: usize,
}

impl Report {
    /// A check: it passed when there is no evidence against it.
    pub fn check(&mut self, what: &str, evidence: &[String]) -> bool {
        if evidence.is_empty() {
            println!("ok {what}");
            self.passed += 1;
            return true;
        }
        println!("FAIL {what}");
        for line in evidence.iter().take(EVIDENCE) {
            println!("    {line}");
        }
        if evidence.len() > EVIDENCE {
            println!("    and {} more", evidence.len() - EVIDENCE);
        }
        self.failed.push(what.to_owned());
        false
    }

    /// The value, or a failed check with the error as its evidence.
    pub fn take<T>(&mut self, what: &str, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.check(what, &lines(&format!("{error:#}")));
                None
            }
        }
    }

    /// A check that this machine cannot make.
    pub fn skip(&mut self, what: &str, why: &str) {
        println!("skipped {what}: {why}");
        self.skipped += 1;
    }

    /// Something to know beside the checks.
    pub fn note(&self, text: &str) {
        println!("note {text}");
    }

    /// The closing line.
    ///
    /// # Errors
    /// When a check failed.
    pub fn close(self) -> Result<()> {
        for what in &self.failed {
            println!("failed: {what}");
        }
        let skipped = if self.skipped == 0 {
            String::new()
        } else {
            format!(", {} skipped", self.skipped)
        };
        println!("{} passed, {} failed{skipped}", self.passed, self.failed.len());
        if !self.failed.is_empty() {
            bail!("{} checks failed", self.failed.len());
        }
        Ok(())
    }
}

/// A text as lines of evidence.
pub fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
