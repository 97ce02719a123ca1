//! Lines of passwd(5), group(5) and shadow(5), put into files that are there.

use std::collections::HashMap;

/// The name of a line.
fn name(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == b':').next().unwrap_or_default()
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// What is there, and after it the lines whose names it lacks.
pub(super) fn merged(there: &[u8], ours: &[u8]) -> Vec<u8> {
    let known: Vec<&[u8]> = lines(there).map(name).collect();
    let mut out = there.to_vec();
    if !out.is_empty() && !out.ends_with(b"\n") {
        out.push(b'\n');
    }
    for line in lines(ours).filter(|line| !known.contains(&name(line))) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out
}

/// Whether everybody who is in both has the same numbers; shadow(5) has none.
pub(super) fn agree(file: &str, there: &[u8], ours: &[u8]) -> bool {
    if !file.ends_with("passwd") && !file.ends_with("group") {
        return true;
    }
    let id = |line: &[u8]| line.split(|byte| *byte == b':').nth(2).map(<[u8]>::to_vec);
    let known: HashMap<&[u8], Option<Vec<u8>>> = lines(there).map(|line| (name(line), id(line))).collect();
    lines(ours).all(|line| known.get(name(line)).is_none_or(|theirs| *theirs == id(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_added_and_never_changed() {
        let there = b"root:x:0:0::/root:/bin/bash\nme:x:1000:1000::/:/bin/sh";
        let ours = b"root:x:0:0:root:/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/bin/false\n";
        let both = merged(there, ours);
        assert_eq!(
            both,
            b"root:x:0:0::/root:/bin/bash\nme:x:1000:1000::/:/bin/sh\nsshd:x:100:65534::/run/sshd:/bin/false\n"
        );
        assert_eq!(merged(&both, ours), both);
        assert!(agree("/etc/passwd", there, ours));
        assert!(!agree("/etc/passwd", there, b"me:x:1001:1::/:/bin/sh\n"));
        assert!(agree("/etc/shadow", b"me:!:1:::::\n", b"me:*:2:::::\n"));
    }
}
