//! The last lines that a program printed, for when it fails.

use std::collections::VecDeque;

/// How many lines an error shows.
const SHOWN: usize = 40;

/// A line that is longer is cut.
const LONGEST: usize = 4096;

/// Keeps the last lines.
#[derive(Debug, Default)]
pub struct Log {
    lines: VecDeque<String>,
    partial: Vec<u8>,
}

impl Log {
    /// Takes a piece of output; hands on the lines that it completes.
    pub fn feed(&mut self, piece: &[u8], on_line: &mut dyn FnMut(String)) {
        for byte in piece {
            if *byte == b'\n' || self.partial.len() >= LONGEST {
                let line = String::from_utf8_lossy(&self.partial).into_owned();
                self.partial.clear();
                self.push(line.clone());
                on_line(line);
            }
            if *byte != b'\n' {
                self.partial.push(*byte);
            }
        }
    }

    /// Takes a whole line.
    pub fn push(&mut self, line: String) {
        if self.lines.len() == SHOWN {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The lines, each after a line end and indented; empty when nothing was printed.
    pub fn tail(&self) -> String {
        let last = (!self.partial.is_empty()).then(|| String::from_utf8_lossy(&self.partial).into_owned());
        self.lines
            .iter()
            .cloned()
            .chain(last)
            .map(|line| format!("\n  {line}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_stay() {
        let mut log = Log::default();
        assert_eq!(log.tail(), "");
        let mut seen = 0;
        for number in 0..100 {
            log.feed(format!("line {number}\n").as_bytes(), &mut |_| seen += 1);
        }
        log.feed(b"half", &mut |_| seen += 1);
        let tail = log.tail();
        assert_eq!(seen, 100);
        assert!(tail.starts_with("\n  line 60\n  line 61"), "{tail}");
        assert!(tail.ends_with("\n  line 99\n  half"), "{tail}");
    }

    #[test]
    fn endless_lines_are_cut() {
        let mut log = Log::default();
        log.feed(&vec![b'x'; LONGEST * 2 + 1], &mut |line| {
            assert_eq!(line.len(), LONGEST)
        });
        assert_eq!(log.lines.len(), 2);
    }
}
