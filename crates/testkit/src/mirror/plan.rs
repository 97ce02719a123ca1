use std::time::Duration;

use super::Fault;
use crate::seed::Random;

/// Faults by a seed: what goes wrong with the n-th request for a path follows from the seed, the path and n alone, however
/// requests for several paths fall in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    seed: u64,
    per_mille: u32,
}

/// How many kinds of faults [`Plan::draw`] knows.
const KINDS: u64 = 21;

impl Plan {
    /// Of a thousand requests so many go wrong.
    pub fn new(seed: u64, per_mille: u32) -> Self {
        Plan { seed, per_mille }
    }

    /// What goes wrong with the n-th request (from 0) for a path that has this content, if anything does.
    pub fn fault(&self, path: &str, nth: usize, content: Option<&[u8]>) -> Option<Fault> {
        let hash = path.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        let mut random = Random::new(self.seed ^ hash.rotate_left(17) ^ (nth as u64).rotate_left(40));
        random
            .happens(self.per_mille)
            .then(|| draw(&mut random, path, content.unwrap_or_default()))
    }
}

fn draw(random: &mut Random, path: &str, content: &[u8]) -> Fault {
    let length = content.len() as u64;
    match random.below(KINDS) {
        0 => Fault::Status(500),
        1 => Fault::Status(502),
        2 => Fault::Status(404),
        3 => Fault::Status(403),
        4 => Fault::RetryAfter(503, 1),
        5 => Fault::RetryAfter(429, 0),
        6 => Fault::Truncate(random.below(length)),
        7 => Fault::Stall(random.below(length)),
        8 => Fault::Silence,
        9 => Fault::Hangup,
        10 => Fault::LieLength(*random.one_of(&[-1, 1, 1000, 1 << 40])),
        11 => Fault::NoLength(Some(random.below(length))),
        12 => Fault::NoLength(None),
        13 => Fault::Endless,
        14 => Fault::NoRange,
        15 => Fault::LieRange(format!("bytes {}-{length}/{length}", random.below(length))),
        16 => Fault::Redirect(match random.below(4) {
            0 => format!("/{path}"),
            1 => "/nowhere".into(),
            2 => "file:///etc/hostname".into(),
            // The discard port: nobody listens.
            _ => "http://127.0.0.1:9/".into(),
        }),
        17 => Fault::Slow(content.len() / 8, Duration::from_millis(5)),
        18 => Fault::Replace(replaced(random, content)),
        19 => {
            let length = random.index(2000);
            Fault::Raw(random.bytes(length))
        }
        _ => Fault::Chunked(random.below(2) == 0),
    }
}

/// Other content: one bit flipped, bytes that mean nothing, or none at all.
fn replaced(random: &mut Random, content: &[u8]) -> Vec<u8> {
    match random.below(3) {
        0 if !content.is_empty() => {
            let mut flipped = content.to_vec();
            flipped[random.index(content.len())] ^= 1 << random.below(8);
            flipped
        }
        1 => {
            let length = random.index(4000);
            random.bytes(length)
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::mem::discriminant;

    use super::*;

    #[test]
    fn a_plan_is_the_same_in_whatever_order_it_is_asked() {
        let plan = Plan::new(17, 300);
        let ask = |path: &str, nth| plan.fault(path, nth, Some(b"content"));
        let forwards: Vec<_> = (0..50).map(|nth| ask("a", nth)).collect();
        let backwards: Vec<_> = (0..50)
            .rev()
            .map(|nth| {
                ask("b", nth);
                ask("a", nth)
            })
            .collect();
        assert!(forwards.iter().eq(backwards.iter().rev()));
        let other: Vec<_> = (0..50).map(|nth| ask("b", nth)).collect();
        assert_ne!(forwards, other);
        assert_ne!(
            forwards[0..50],
            (0..50)
                .map(|nth| Plan::new(18, 300).fault("a", nth, None))
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn the_rate_is_kept_and_every_kind_comes() {
        let plan = Plan::new(1, 250);
        let faults: Vec<Fault> = (0..8000)
            .filter_map(|nth| plan.fault("pool/a.deb", nth, Some(&[7; 100])))
            .collect();
        assert!((1700..2300).contains(&faults.len()), "{}", faults.len());
        let kinds: HashSet<_> = faults.iter().map(discriminant).collect();
        // Statuses, Retry-After and cut bodies share their kinds.
        assert_eq!(kinds.len(), 16, "{kinds:?}");
        assert_eq!(Plan::new(1, 0).fault("a", 0, None), None);
        assert!(Plan::new(1, 1000).fault("a", 0, None).is_some());
    }
}
