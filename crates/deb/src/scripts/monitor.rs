use std::fmt;

/// What a line of dpkg's output says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// dpkg begins to configure a package.
    Configuring(String),
    /// dpkg begins to process the triggers of a package.
    Triggers(String),
    /// A package is in a new state (`half-configured`, `installed`).
    State {
        /// The package.
        package: String,
        /// The state, as in `status`.
        state: String,
    },
    /// A line for the user, without its end, control characters made visible.
    Output(String),
}

/// Why dpkg could not finish a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The package.
    pub package: String,
    /// The maintainer script that failed, when it was one.
    pub script: Option<&'static str>,
    /// dpkg's own words.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.script {
            Some(script) => write!(
                f,
                "the {script} script of package `{}` failed: {}",
                self.package, self.message
            ),
            None => write!(
                f,
                "package `{}` could not be configured: {}",
                self.package, self.message
            ),
        }
    }
}

/// Reads what `dpkg --status-fd` and the scripts below it print, piece by piece.
///
/// Scripts can print anything, lines that look like dpkg's own too; nothing but messages depends on it.
#[derive(Debug, Default)]
pub struct Monitor {
    partial: Vec<u8>,
    failures: Vec<Failure>,
    /// dpkg's words about an error follow on the next line.
    announced: Option<String>,
}

/// A line that is longer is cut into several.
const LONGEST_LINE: usize = 64 * 1024;

impl Monitor {
    /// A monitor that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a piece of output and hands on the lines that it completes.
    pub fn feed(&mut self, mut piece: &[u8], on_line: &mut dyn FnMut(Line)) {
        while !piece.is_empty() {
            let room = LONGEST_LINE.saturating_sub(self.partial.len());
            let (line, rest, whole) = match piece.iter().position(|&b| b == b'\n') {
                Some(end) if end <= room => (piece.get(..end), piece.get(end + 1..), true),
                _ => piece
                    .split_at_checked(room)
                    .map_or((Some(piece), None, false), |(a, b)| (Some(a), Some(b), true)),
            };
            self.partial.extend_from_slice(line.unwrap_or_default());
            piece = rest.unwrap_or_default();
            if whole {
                self.take(on_line);
            }
        }
    }

    /// Hands on what is left when the program has ended.
    pub fn finish(&mut self, on_line: &mut dyn FnMut(Line)) {
        if !self.partial.is_empty() {
            self.take(on_line);
        }
    }

    fn take(&mut self, on_line: &mut dyn FnMut(Line)) {
        let bytes = std::mem::take(&mut self.partial);
        let text = String::from_utf8_lossy(&bytes);
        if let Some(line) = self.line(text.strip_suffix('\r').unwrap_or(&text)) {
            on_line(line);
        }
    }

    /// The packages that failed so far, each once, in the order in which dpkg told.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    fn line(&mut self, text: &str) -> Option<Line> {
        if let Some(package) = self.announced.take() {
            self.fail(&package, text);
        }
        if let Some(rest) = text.strip_prefix("status: ") {
            return self.status(rest);
        }
        if let Some(rest) = text.strip_prefix("processing: ") {
            let (stage, package) = rest.split_once(": ").unwrap_or((rest, ""));
            return match stage {
                "configure" => Some(Line::Configuring(package.to_owned())),
                "trigproc" => Some(Line::Triggers(package.to_owned())),
                _ => None,
            };
        }
        // The same news in dpkg's words for people, in case a script's unfinished line swallowed the other.
        let error = text.strip_prefix("dpkg: error processing package ");
        self.announced = error
            .and_then(|rest| rest.split_once(' '))
            .map(|(package, _)| package.to_owned());
        (!text.is_empty()).then(|| Line::Output(visible(text)))
    }

    fn status(&mut self, rest: &str) -> Option<Line> {
        if let Some((package, message)) = rest.split_once(" : error : ") {
            self.fail(package, message);
            return None;
        }
        let (package, state) = rest
            .split_once(": ")
            .filter(|(package, _)| !package.contains(' '))?;
        Some(Line::State {
            package: package.to_owned(),
            state: state.to_owned(),
        })
    }

    fn fail(&mut self, package: &str, message: &str) {
        if self.failures.iter().all(|failure| failure.package != package) {
            let message = visible(message.trim());
            let script = script(&message);
            self.failures.push(Failure {
                package: visible(package),
                script,
                message,
            });
        }
    }
}

/// The script that dpkg's message is about.
fn script(message: &str) -> Option<&'static str> {
    [
        ("pre-installation script", "preinst"),
        ("post-installation script", "postinst"),
        ("pre-removal script", "prerm"),
        ("post-removal script", "postrm"),
    ]
    .into_iter()
    .find_map(|(words, name)| message.contains(words).then_some(name))
}

/// Text with its control characters made visible, so that a script cannot drive the user's terminal.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\t' {
            shown.extend(c.escape_default())
        } else {
            shown.push(c)
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(pieces: &[&str]) -> (Vec<Line>, Vec<Failure>) {
        let mut monitor = Monitor::new();
        let mut lines = Vec::new();
        for piece in pieces {
            monitor.feed(piece.as_bytes(), &mut |line| lines.push(line));
        }
        monitor.finish(&mut |line| lines.push(line));
        (lines, monitor.failures.clone())
    }

    #[test]
    fn news_and_output_are_told_apart() {
        let (lines, failures) = watch(&[
            "processing: configure: libc6:amd64\nSetting up libc6:amd64 (2.41) ...\nstatus: libc6:amd64: half-con",
            "figured\nstatus: libc6:amd64: installed\nred \u{1b}[31m\nprocessing: trigproc: libc-bin\nlast",
        ]);
        let state = |state: &str| Line::State {
            package: "libc6:amd64".into(),
            state: state.into(),
        };
        let want = [
            Line::Configuring("libc6:amd64".into()),
            Line::Output("Setting up libc6:amd64 (2.41) ...".into()),
            state("half-configured"),
            state("installed"),
            Line::Output("red \\u{1b}[31m".into()),
            Line::Triggers("libc-bin".into()),
            Line::Output("last".into()),
        ];
        assert_eq!(lines, want);
        assert_eq!(failures, []);
    }

    #[test]
    fn failures_name_package_and_script() {
        let words = "installed apt package post-installation script subprocess returned error exit status 3";
        let (_, failures) = watch(&[
            "dpkg: error processing package apt (--configure):\n installed apt package post-installation script subprocess returned error exit status 3\n",
            &format!("status: apt : error : {words}\nstatus: apt: half-configured\n"),
            "no newline herestatus: x : error : lost\n",
            "dpkg: error processing package x (--configure):\n dependency problems - leaving unconfigured\n",
        ]);
        let failure = |package: &str, script, message: &str| Failure {
            package: package.into(),
            script,
            message: message.into(),
        };
        let want = [
            failure("apt", Some("postinst"), words),
            failure("x", None, "dependency problems - leaving unconfigured"),
        ];
        assert_eq!(failures, want);
        assert_eq!(
            failures[0].to_string(),
            format!("the postinst script of package `apt` failed: {words}")
        );
    }

    #[test]
    fn endless_lines_are_cut() {
        let long = "x".repeat(LONGEST_LINE * 2 + 10);
        let (lines, _) = watch(&[&long[..100], &long[100..]]);
        let lengths: Vec<usize> = lines
            .iter()
            .map(|line| matches!(line, Line::Output(text) if text.len() > 5) as usize)
            .collect();
        assert_eq!(lengths, [1, 1, 1]);
    }
}
