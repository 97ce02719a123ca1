use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::ByteOrder;

/// The index of names, from which rpm computes the cookie (rpm's lib/rpmdb.c: rpmdbCookie).
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<Vec<u8>, Vec<u32>>);

impl Names {
    pub(crate) fn add(&mut self, name: &[u8], number: u32) {
        self.0.entry(name.to_vec()).or_default().push(number);
    }

    pub(crate) fn cookie(&self, order: ByteOrder) -> String {
        let mut hasher = Sha256::new();
        for (name, numbers) in &self.0 {
            hasher.update(name);
            for number in numbers {
                // As they are in the machine's memory.
                hasher.update(order.bytes(*number));
            }
        }
        hasher
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What dnf 4.14 recorded before and after it installed these packages, with keys imported first.
    #[test]
    fn cookies_are_rpms() {
        let mut names = Names::default();
        assert_eq!(
            names.cookie(ByteOrder::Little),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        for number in 1..=9 {
            names.add(b"gpg-pubkey", number);
        }
        assert_eq!(
            names.cookie(ByteOrder::Little),
            "ed6827d8cec1221767ad37e0e81c43b945ca33fb41be2ae5c3d1a071fa23cf06"
        );
        let packages = "weakdep weak lib gdep extra app gman gdef gcond env1";
        for (name, number) in packages.split(' ').zip(10..) {
            names.add(name.as_bytes(), number);
        }
        assert_eq!(
            names.cookie(ByteOrder::Little),
            "ab21db4e805b4789cc90bf8384c47b115d3cb9fa606b734c88f826f7fd03a219"
        );
    }
}
