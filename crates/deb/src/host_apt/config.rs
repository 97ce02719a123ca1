use std::collections::BTreeMap;

use crate::release::{is_no, is_yes};

/// The deepest that scopes may stand in one another.
const DEPTH: usize = 64;

/// The settings of apt.conf(5), as a flat table. Names are compared in any case of letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// By name in small letters.
    values: BTreeMap<String, String>,
    /// The values of lists (`DPkg::Options { "a"; "b"; };`), by the list's name in small letters.
    lists: BTreeMap<String, Vec<String>>,
}

impl Config {
    /// The value of a setting: `Acquire::Check-Valid-Until`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    /// The values of a list.
    pub fn list(&self, name: &str) -> &[String] {
        self.lists
            .get(&name.to_ascii_lowercase())
            .map_or(&[], Vec::as_slice)
    }

    /// A setting as apt reads truth: `None` when it is not set, or set to what is neither.
    pub fn bool(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            yes if is_yes(yes) => Some(true),
            no if is_no(no) => Some(false),
            _ => None,
        }
    }

    /// Takes in a file; later settings win. On an error what stands before it has been taken.
    ///
    /// # Errors
    ///
    /// The line, from 1, and what is wrong there.
    pub fn parse(&mut self, text: &[u8]) -> Result<(), (usize, &'static str)> {
        let text = String::from_utf8_lossy(text);
        let mut tokens = Tokens { rest: &text, line: 1 };
        let mut scopes: Vec<String> = Vec::new();
        // The words of the statement that is being read.
        let mut words: Vec<String> = Vec::new();
        loop {
            let token = tokens.next().map_err(|reason| (tokens.line, reason))?;
            let wrong = |reason| Err((tokens.line, reason));
            match token {
                Some(Token::Word(word)) => words.push(word),
                Some(Token::Open) => {
                    let [name] = &words[..] else {
                        return wrong("a `{` stands after something else than one name");
                    };
                    if scopes.len() >= DEPTH {
                        return wrong("its scopes are too deep");
                    }
                    scopes.push(join(&scopes, name));
                    words.clear();
                }
                Some(Token::End) => {
                    self.statement(&scopes, &words)
                        .map_err(|reason| (tokens.line, reason))?;
                    words.clear();
                }
                Some(Token::Close) => {
                    // The last statement before a brace may lack its semicolon.
                    self.statement(&scopes, &words)
                        .map_err(|reason| (tokens.line, reason))?;
                    words.clear();
                    if scopes.pop().is_none() {
                        return wrong("a `}` closes nothing");
                    }
                }
                None if !words.is_empty() => return wrong("the last statement has no `;`"),
                None if !scopes.is_empty() => return wrong("a `{` is not closed"),
                None => return Ok(()),
            }
        }
    }

    fn statement(&mut self, scopes: &[String], words: &[String]) -> Result<(), &'static str> {
        match words {
            [] => Ok(()),
            [directive, name] if directive == "#clear" => {
                let name = join(scopes, name).to_ascii_lowercase();
                let name = name.trim_end_matches("::");
                let below = format!("{name}::");
                self.values
                    .retain(|known, _| known != name && !known.starts_with(&below));
                self.lists
                    .retain(|known, _| known != name && !known.starts_with(&below));
                Ok(())
            }
            [directive, ..] if directive == "#include" => Ok(()),
            [value] => {
                // A lone value in a scope is one of a list.
                let scope = scopes.last().ok_or("a value has no name")?;
                self.push(scope, value);
                Ok(())
            }
            [name, value] => {
                let name = join(scopes, name);
                match name.strip_suffix("::") {
                    Some(list) => self.push(list, value),
                    None => {
                        self.values.insert(name.to_ascii_lowercase(), value.clone());
                    }
                }
                Ok(())
            }
            _ => Err("a statement has more than a name and a value"),
        }
    }

    fn push(&mut self, list: &str, value: &str) {
        self.lists
            .entry(list.to_ascii_lowercase())
            .or_default()
            .push(value.to_owned());
    }
}

fn join(scopes: &[String], name: &str) -> String {
    scopes
        .last()
        .map_or_else(|| name.to_owned(), |scope| format!("{scope}::{name}"))
}

enum Token {
    Word(String),
    Open,
    Close,
    End,
}

struct Tokens<'a> {
    rest: &'a str,
    line: usize,
}

impl Tokens<'_> {
    fn skip(&mut self, length: usize) {
        let (skipped, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.line += skipped.matches('\n').count();
        self.rest = rest;
    }

    fn skip_line(&mut self) {
        self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
    }

    fn next(&mut self) -> Result<Option<Token>, &'static str> {
        loop {
            self.skip(self.rest.len() - self.rest.trim_start().len());
            let directive = ["#clear", "#include"]
                .iter()
                .find(|directive| self.rest.starts_with(**directive));
            if let Some(directive) = directive {
                self.skip(directive.len());
                return Ok(Some(Token::Word((*directive).to_owned())));
            } else if self.rest.starts_with("//") || self.rest.starts_with('#') {
                self.skip_line();
            } else if self.rest.starts_with("/*") {
                let end = self.rest.find("*/").ok_or("a comment is not closed")?;
                self.skip(end + 2);
            } else {
                break;
            }
        }
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        let single = match first {
            '{' => Some(Token::Open),
            '}' => Some(Token::Close),
            ';' => Some(Token::End),
            _ => None,
        };
        if single.is_some() {
            self.skip(1);
            return Ok(single);
        }
        if first == '"' {
            let inside = self.rest.get(1..).unwrap_or_default();
            let end = inside.find('"').ok_or("a quote is not closed")?;
            let word = inside.get(..end).unwrap_or_default().to_owned();
            self.skip(end + 2);
            return Ok(Some(Token::Word(word)));
        }
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || matches!(c, '{' | '}' | ';' | '"'))
            .unwrap_or(self.rest.len());
        let word = self.rest.get(..end).unwrap_or_default().to_owned();
        self.skip(end);
        Ok(Some(Token::Word(word)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration() {
        let mut config = Config::default();
        let text = br#"
// one
# two
/* three
   Acquire::A "1"; */
Acquire::Check-Valid-Until "false";
acquire::check-date no;
APT {
  Get { Assume-Yes "true"; // yes
        Fix "x # y // z" };
  NeverAutoRemove { "^a$"; "^b;$"; };
};
APT::NeverAutoRemove:: "^c$";
Acquire::http::Proxy "http://p.example:8080/";
Dead::A "1"; Dead::B { C "2"; }
#clear Dead;
#include "/etc/other";
Last "1";
Last "2";
"#;
        config.parse(text).unwrap();
        assert_eq!(config.bool("Acquire::Check-Valid-Until"), Some(false));
        assert_eq!(config.bool("Acquire::Check-Date"), Some(false));
        assert_eq!(config.get("Apt::Get::Assume-Yes"), Some("true"));
        assert_eq!(config.get("APT::Get::Fix"), Some("x # y // z"));
        assert_eq!(config.list("apt::neverautoremove"), ["^a$", "^b;$", "^c$"]);
        assert_eq!(config.get("Acquire::HTTP::proxy"), Some("http://p.example:8080/"));
        assert_eq!(config.get("Acquire::A"), None);
        assert_eq!(config.get("Dead::A").or(config.get("Dead::B::C")), None);
        assert_eq!(config.get("Last"), Some("2"));
        assert_eq!(config.bool("Last"), None);
    }

    #[test]
    fn what_is_wrong() {
        for (text, line, part) in [
            ("A \"1\"", 1, "no `;`"),
            ("\nA {\nB \"1\";\n", 4, "not closed"),
            ("A \"1\";\n}", 2, "closes nothing"),
            ("A \"1", 1, "quote"),
            ("/* x", 1, "comment"),
            ("\n\"x\";", 2, "no name"),
            ("A B C;", 1, "more than"),
            ("{ }", 1, "one name"),
            ("A B { };", 1, "one name"),
        ] {
            let (at, reason) = Config::default().parse(text.as_bytes()).unwrap_err();
            assert!(at == line && reason.contains(part), "{text}: line {at}: {reason}");
        }
        let deep = "A { ".repeat(1000);
        assert!(
            Config::default()
                .parse(deep.as_bytes())
                .unwrap_err()
                .1
                .contains("too deep")
        );
    }
}
