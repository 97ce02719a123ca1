use std::time::SystemTime;

/// What the user and the clock say about validity.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The time that keys and signatures are judged at.
    pub now: SystemTime,
    /// Fingerprints (hexadecimal, of a key or of its primary key) that may sign although they are weak or old: an RSA
    /// key of less than 2048 bits, a DSA key, a SHA-1 digest, a key that has expired, or was retired, since it signed.
    pub allow_weak_keys: Vec<String>,
}

impl Policy {
    /// The strict policy at this time.
    pub fn at(now: SystemTime) -> Policy {
        Policy {
            now,
            allow_weak_keys: Vec::new(),
        }
    }
}

impl Default for Policy {
    /// The strict policy, now.
    fn default() -> Self {
        Policy::at(SystemTime::now())
    }
}
