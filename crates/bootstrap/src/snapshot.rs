//! `--snapshot`: archives as they were at some moment, from the distribution's snapshot service.

use std::fmt;
use std::str::FromStr;

use crate::catalogue::Distribution;
use crate::error::Error;

/// A moment in UTC, as snapshot services name it: `20260131T120000Z`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot(String);

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `2026-01-31`, `20260131`, either with `T12:00:00Z` or `T120000Z` behind it; a day alone is its first second.
impl FromStr for Snapshot {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::Snapshot(text.to_owned());
        let plain: String = text
            .chars()
            .filter(|character| !['-', ':'].contains(character))
            .collect();
        let (day, time) = match plain.split_once('T') {
            Some((day, time)) => (day, time.strip_suffix('Z').ok_or_else(wrong)?),
            None => (plain.as_str(), "000000"),
        };
        let number = |text: Option<&str>| -> Option<u32> {
            text.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?
                .parse()
                .ok()
        };
        let in_range = |text: &str, from: usize, low: u32, high: u32| {
            number(text.get(from..from + 2)).is_some_and(|number| (low..=high).contains(&number))
        };
        let sound = day.len() == 8
            && time.len() == 6
            && number(day.get(..4)).is_some_and(|year| year >= 1990)
            && in_range(day, 4, 1, 12)
            && in_range(day, 6, 1, 31)
            && in_range(time, 0, 0, 23)
            && in_range(time, 2, 0, 59)
            && in_range(time, 4, 0, 60);
        match sound {
            true => Ok(Snapshot(format!("{day}T{time}Z"))),
            false => Err(wrong()),
        }
    }
}

impl Snapshot {
    /// The addresses of a distribution's archive and of its security archive at that moment.
    ///
    /// # Errors
    /// [`Error::NoSnapshots`] where nobody keeps the distribution's past.
    pub fn addresses(&self, distribution: &Distribution) -> Result<(String, String), Error> {
        let main = distribution.snapshot.as_ref().ok_or_else(|| Error::NoSnapshots {
            distribution: distribution.name.clone(),
        })?;
        let security = distribution.security_snapshot.as_ref().unwrap_or(main);
        let at = |address: &String| address.replace("{date}", &self.0);
        Ok((at(main), at(security)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn moments() {
        for (text, wanted) in [
            ("2026-01-31", Some("20260131T000000Z")),
            ("20260131", Some("20260131T000000Z")),
            ("20260131T235959Z", Some("20260131T235959Z")),
            ("2026-01-31T12:30:00Z", Some("20260131T123000Z")),
            ("2026-13-01", None),
            ("2026-01-00", None),
            ("2026-1-1", None),
            ("20260131T250000Z", None),
            ("20260131T120000", None),
            ("20260131T1200Z", None),
            ("+0260131", None),
            ("yesterday", None),
            ("", None),
            ("é260131", None),
        ] {
            let found = text.parse::<Snapshot>().ok().map(|snapshot| snapshot.to_string());
            assert_eq!(found.as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn services() {
        let snapshot: Snapshot = "2026-01-31".parse().unwrap();
        let (main, security) = snapshot.addresses(catalogue::deb_of("debian").unwrap()).unwrap();
        assert!(main.ends_with("/archive/debian/20260131T000000Z"), "{main}");
        assert!(
            security.ends_with("/archive/debian-security/20260131T000000Z"),
            "{security}"
        );
        let (main, security) = snapshot.addresses(catalogue::deb_of("ubuntu").unwrap()).unwrap();
        assert!(main.ends_with("/ubuntu/20260131T000000Z"), "{main}");
        assert_eq!(main, security);
    }
}
