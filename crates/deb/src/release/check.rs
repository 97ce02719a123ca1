use std::time::{Duration, SystemTime};

use super::{Release, format_date};
use crate::Error;

/// What is done about something that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Response {
    /// It is an error.
    #[default]
    Refuse,
    /// It is told, and taken.
    Warn,
}

/// How a `Release` file's dates are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dates {
    /// What time it is.
    pub now: SystemTime,
    /// What is done when the file has expired.
    pub expired: Response,
    /// What is done when the file is from the future.
    pub future: Response,
    /// How far in the future a file may be all the same, because clocks differ. apt's default is 10 seconds.
    pub max_future: Duration,
    /// An age that counts as valid although `Valid-Until` has passed (apt's `Valid-Until-Min`).
    pub min_age: Option<Duration>,
    /// An age that counts as expired although `Valid-Until` has not passed (apt's `Valid-Until-Max`).
    pub max_age: Option<Duration>,
}

impl Dates {
    /// Everything refused, and apt's 10 seconds for clocks that differ.
    pub fn strict(now: SystemTime) -> Dates {
        Dates {
            now,
            expired: Response::Refuse,
            future: Response::Refuse,
            max_future: Duration::from_secs(10),
            min_age: None,
            max_age: None,
        }
    }
}

impl Release {
    /// Whether the file is the one for the suite that was asked for, by the rule of apt: its `Suite` or its `Codename`
    /// is that name, or is what stands before the last slash (`buster/updates`). The suite of a flat repository (a
    /// path that ends in a slash) is a place and no name: every file will do.
    pub fn is_suite(&self, asked: &str) -> bool {
        let is = |name: &str| name == self.suite || name == self.codename;
        if asked.is_empty() || asked.ends_with('/') || is(asked) {
            return true;
        }
        let name = if asked == "../project/experimental" {
            "experimental"
        } else {
            asked
        };
        is(name.rsplit_once('/').map_or(name, |(before, _)| before))
    }

    /// When the file expires: its `Valid-Until`, moved by the ages of `dates`.
    pub fn expires(&self, dates: &Dates) -> Option<SystemTime> {
        let after = |age: Option<Duration>| self.date?.checked_add(age?);
        let longest = after(dates.max_age);
        let until = match (self.valid_until, longest) {
            (Some(until), Some(longest)) => Some(until.min(longest)),
            (until, longest) => until.or(longest),
        };
        until.map(|until| after(dates.min_age).map_or(until, |least| until.max(least)))
    }

    /// Judges suite and dates. The sentences that come back are warnings.
    ///
    /// A file that names neither suite nor codename gives a warning; apt gives one for a wrong name too, but here
    /// that is an error, because a mirror that answers with another suite is how an old one is passed off as new.
    ///
    /// # Errors
    ///
    /// [`Error::ReleaseSuite`], [`Error::ReleaseExpired`] and [`Error::ReleaseFuture`].
    pub fn check(&self, asked: &str, dates: &Dates) -> Result<Vec<String>, Error> {
        let name = &self.name;
        let mut warnings = Vec::new();
        if !self.is_suite(asked) {
            if !self.suite.is_empty() || !self.codename.is_empty() {
                return Err(Error::ReleaseSuite {
                    name: name.clone(),
                    asked: asked.to_owned(),
                    suite: super::brief(&self.suite),
                    codename: super::brief(&self.codename),
                });
            }
            warnings.push(format!(
                "{name} does not say which suite it is; `{asked}` was asked for"
            ));
        }
        match self.date {
            None => warnings.push(format!(
                "{name} has no date that can be read, so its age is not known"
            )),
            Some(date)
                if dates
                    .now
                    .checked_add(dates.max_future)
                    .is_some_and(|latest| date > latest) =>
            {
                let error = Error::ReleaseFuture {
                    name: name.clone(),
                    date: format_date(date),
                    now: format_date(dates.now),
                };
                respond(dates.future, error, &mut warnings)?;
            }
            Some(_) => {}
        }
        if let Some(until) = self.expires(dates).filter(|&until| until < dates.now) {
            let error = Error::ReleaseExpired {
                name: name.clone(),
                until: format_date(until),
                now: format_date(dates.now),
            };
            respond(dates.expired, error, &mut warnings)?;
        }
        Ok(warnings)
    }
}

fn respond(response: Response, error: Error, warnings: &mut Vec<String>) -> Result<(), Error> {
    match response {
        Response::Refuse => Err(error),
        Response::Warn => {
            warnings.push(error.to_string());
            Ok(())
        }
    }
}
