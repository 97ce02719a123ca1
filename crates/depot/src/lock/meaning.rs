//! What a recipe or options mean for a choice of packages, so that a change of it is seen and can be named.

use std::collections::BTreeMap;
use std::fmt;

use bareroot_model::Digest;
use sha2::{Digest as _, Sha256};

/// The value of an option.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A switch.
    Bool(bool),
    /// A word.
    Text(String),
    /// Words.
    List(Vec<String>),
}

/// Options by their names in a recipe (`include`, `variant`); those that say nothing are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct Meaning(BTreeMap<String, Value>);

/// An option that two meanings do not have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The option.
    pub option: String,
    /// What the lock has.
    pub locked: Option<Value>,
    /// What is asked for.
    pub asked: Option<Value>,
}

impl Meaning {
    /// Adds an option; empty words and lists say nothing, and neither does a switch that is `None`.
    pub fn set(&mut self, option: &str, value: Option<Value>) {
        let says_something = |value: &Value| match value {
            Value::Bool(_) => true,
            Value::Text(text) => !text.is_empty(),
            Value::List(words) => !words.is_empty(),
        };
        if let Some(value) = value.filter(says_something) {
            self.0.insert(option.to_owned(), value);
        }
    }

    /// An option that is a word.
    pub fn text(&self, option: &str) -> Option<&str> {
        match self.0.get(option)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// An option that is a switch.
    pub fn switch(&self, option: &str) -> Option<bool> {
        match self.0.get(option)? {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// An option that is a list; empty where it is not given.
    pub fn list(&self, option: &str) -> &[String] {
        match self.0.get(option) {
            Some(Value::List(words)) => words,
            _ => &[],
        }
    }

    /// All options, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(option, value)| (option.as_str(), value))
    }

    /// The SHA-256 of the options in one spelling.
    pub fn digest(&self) -> Digest {
        let mut hasher = Sha256::new();
        for (option, value) in self.iter() {
            hasher.update(format!("{option} = {value}\n"));
        }
        Digest::new(hasher.finalize().into())
    }

    /// What differs in what is asked for now, by name.
    pub fn changes(&self, asked: &Meaning) -> Vec<Change> {
        let mut options: Vec<&String> = self.0.keys().chain(asked.0.keys()).collect();
        options.sort();
        options.dedup();
        options
            .into_iter()
            .filter(|option| self.0.get(*option) != asked.0.get(*option))
            .map(|option| Change {
                option: option.clone(),
                locked: self.0.get(option).cloned(),
                asked: asked.0.get(option).cloned(),
            })
            .collect()
    }
}

/// As TOML.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &String| toml::Value::String(text.clone()).to_string();
        match self {
            Value::Bool(value) => value.fmt(f),
            Value::Text(word) => f.write_str(&text(word)),
            Value::List(words) => write!(f, "[{}]", words.iter().map(text).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// `include is ["nano"], was ["vim"]`; of lists what was added and what is gone, where that is shorter.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let option = &self.option;
        let empty = Value::List(Vec::new());
        let or_empty = |value: &Option<Value>| value.clone().unwrap_or(empty.clone());
        match (or_empty(&self.locked), or_empty(&self.asked)) {
            (Value::List(locked), Value::List(asked)) => {
                let gone = locked
                    .iter()
                    .filter(|word| !asked.contains(word))
                    .map(|word| format!("-{word}"));
                let added = asked
                    .iter()
                    .filter(|word| !locked.contains(word))
                    .map(|word| format!("+{word}"));
                let changed: Vec<String> = gone.chain(added).collect();
                match changed.is_empty() {
                    true => write!(f, "{option} (in another order)"),
                    false => write!(f, "{option} ({})", changed.join(", ")),
                }
            }
            _ => {
                let shown =
                    |value: &Option<Value>| value.as_ref().map_or("absent".to_owned(), Value::to_string);
                write!(f, "{option} ({} -> {})", shown(&self.locked), shown(&self.asked))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(options: &[(&str, Value)]) -> Meaning {
        let mut meaning = Meaning::default();
        for (option, value) in options {
            meaning.set(option, Some(value.clone()));
        }
        meaning
    }

    fn list(words: &[&str]) -> Value {
        Value::List(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn what_changed_is_named() {
        let text = |word: &str| Value::Text(word.to_owned());
        for (locked, asked, words) in [
            (
                vec![("variant", text("minbase"))],
                vec![("variant", text("buildd"))],
                "variant (\"minbase\" -> \"buildd\")",
            ),
            (
                vec![("include", list(&["a", "b"]))],
                vec![("include", list(&["b", "c"]))],
                "include (-a, +c)",
            ),
            (vec![], vec![("include", list(&["c"]))], "include (+c)"),
            (vec![("include", list(&["c"]))], vec![], "include (-c)"),
            (
                vec![("include", list(&["a", "b"]))],
                vec![("include", list(&["b", "a"]))],
                "include (in another order)",
            ),
            (
                vec![],
                vec![("recommends", Value::Bool(true))],
                "recommends (absent -> true)",
            ),
        ] {
            let (locked, asked) = (meaning(&locked), meaning(&asked));
            let changes = locked.changes(&asked);
            assert_eq!(changes.len(), 1);
            assert_eq!(changes[0].to_string(), words);
            assert_ne!(locked.digest(), asked.digest());
            assert!(locked.changes(&locked).is_empty());
        }
    }

    #[test]
    fn what_says_nothing_is_absent() {
        let mut meaning = Meaning::default();
        meaning.set("include", Some(list(&[])));
        meaning.set("spec", Some(Value::Text(String::new())));
        meaning.set("updates", None);
        assert_eq!(meaning, Meaning::default());
    }
}
