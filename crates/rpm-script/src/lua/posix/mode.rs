//! Modes as `posix` reads and writes them.

/// `rwxr-xr-x`, with `s` or `S` in the place of `x` for set ids.
pub(super) fn words(mode: u32) -> String {
    let mut text: Vec<char> = (0..9)
        .map(|place| match mode & (0o400 >> place) {
            0 => '-',
            _ => ['r', 'w', 'x'][place % 3],
        })
        .collect();
    for (place, set, execute) in [(2, 0o4000, 0o100), (5, 0o2000, 0o10)] {
        if mode & set != 0
            && let Some(letter) = text.get_mut(place)
        {
            *letter = if mode & execute != 0 { 's' } else { 'S' };
        }
    }
    text.into_iter().collect()
}

/// A mode after a change, which is octal digits, all nine letters, or as chmod(1) has it with `u`, `g`, `o`, `a`, `+`, `-`,
/// `=`, `r`, `w`, `x`, `s` and commas. `None` for what is none of them.
pub(super) fn changed(mode: u32, change: &[u8]) -> Option<u32> {
    match change.first()? {
        b'r' | b'-' => nine_letters(mode, change),
        b'0'..=b'7' => octal(change),
        _ => symbolic(mode, change),
    }
}

fn octal(digits: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok()?;
    u32::from_str_radix(text, 8).ok()
}

fn nine_letters(mode: u32, letters: &[u8]) -> Option<u32> {
    let mut mode = mode & !0o6000;
    for (place, letter) in letters.iter().take(9).enumerate() {
        let bit = 0o400 >> place;
        match (letter, place) {
            (b'r', 0 | 3 | 6) | (b'w', 1 | 4 | 7) | (b'x', 2 | 5 | 8) => mode |= bit,
            (b'-', _) => mode &= !bit,
            (b's', 2) => mode |= 0o4100,
            (b's', 5) => mode |= 0o2010,
            (b's', _) => return None,
            _ => {}
        }
    }
    Some(mode)
}

fn symbolic(mut mode: u32, change: &[u8]) -> Option<u32> {
    for clause in change.split(|byte| *byte == b',') {
        let mut letters = clause.iter().copied().filter(|letter| *letter != b' ').peekable();
        let mut who = 0;
        while let Some(bits) = letters.peek().and_then(|letter| match letter {
            b'u' => Some(0o4700),
            b'g' => Some(0o2070),
            b'o' => Some(0o1007),
            b'a' => Some(0o7777),
            _ => None,
        }) {
            who |= bits;
            letters.next();
        }
        if who == 0 {
            who = 0o7777;
        }
        let operator = letters.next()?;
        let mut bits = 0;
        for letter in letters {
            bits |= match letter {
                b'r' => 0o444,
                b'w' => 0o222,
                b'x' => 0o111,
                b's' => 0o6000,
                _ => return None,
            };
        }
        match operator {
            b'+' => mode |= bits & who,
            b'-' => mode &= !(bits & who),
            // Without a letter after it nothing happens.
            b'=' if bits != 0 => mode = bits & who,
            b'=' => {}
            _ => return None,
        }
    }
    Some(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_in_letters() {
        for (mode, text) in [
            (0o755, "rwxr-xr-x"),
            (0o4755, "rwsr-xr-x"),
            (0o2644, "rw-r-Sr--"),
            (0, "---------"),
            (0o1777, "rwxrwxrwx"),
        ] {
            assert_eq!(words(mode), text);
        }
    }

    #[test]
    fn changes_of_modes() {
        for (mode, change, expected) in [
            (0o644, "0755", Some(0o755)),
            (0o644, "4755", Some(0o4755)),
            (0o644, "89", None),
            (0o644, "078", None),
            (0o644, "rwxr-x---", Some(0o750)),
            (0o600, "rws--s--x", Some(0o6711)),
            (0o600, "rs-------", None),
            (0o644, "u+x", Some(0o744)),
            (0o644, "+x", Some(0o755)),
            (0o755, "go-rx", Some(0o700)),
            (0o755, "u+s, o-x", Some(0o4754)),
            (0o755, "u=rw", Some(0o600)),
            (0o755, "u=", Some(0o755)),
            (0o644, "u*x", None),
            (0o644, "u+q", None),
            (0o644, "", None),
        ] {
            assert_eq!(changed(mode, change.as_bytes()), expected, "{change}");
        }
    }
}
