//! YAML as small trees, one document at a time: a reader's events with bounds.
//!
//! Anchors mean nothing here and an alias is refused, so that no text grows when it is read.

use saphyr_parser::{Event, Parser, StrInput};

use crate::error::Error;

/// Nodes inside nodes; modules.yaml has ten levels at most.
const DEEPEST: usize = 64;

/// Nodes of one document; a module stream with all of a release's packages as artifacts has some ten thousand.
const MOST_NODES: usize = 2_000_000;

/// A value of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A text, whatever it would mean elsewhere: a stream `1.10` is no number.
    Scalar(String),
    /// Values in their order.
    Sequence(Vec<Node>),
    /// Keys and values in their order.
    Mapping(Vec<(String, Node)>),
}

impl Node {
    /// The value of a key; `None` also for what is no mapping.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match self {
            Node::Mapping(pairs) => pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Node::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The pairs of a mapping; none for anything else.
    pub(crate) fn pairs(&self) -> &[(String, Node)] {
        match self {
            Node::Mapping(pairs) => pairs,
            _ => &[],
        }
    }

    /// The values of a sequence; none for anything else.
    pub(crate) fn values(&self) -> &[Node] {
        match self {
            Node::Sequence(values) => values,
            _ => &[],
        }
    }

    /// The texts of a sequence, or of a single scalar.
    pub(crate) fn texts(&self) -> Vec<String> {
        match self {
            Node::Scalar(text) if text.is_empty() => Vec::new(),
            Node::Scalar(text) => vec![text.clone()],
            _ => {
                let texts = self.values().iter().filter_map(Node::text);
                texts.map(str::to_owned).collect()
            }
        }
    }
}

/// What is open while a document is read.
enum Open {
    Sequence(Vec<Node>),
    Mapping(Vec<(String, Node)>, Option<String>),
}

/// The documents of a text, in their order.
pub(crate) struct Documents<'t> {
    name: &'t str,
    parser: Parser<'t, StrInput<'t>>,
}

impl<'t> Documents<'t> {
    /// `name` is for messages.
    pub(crate) fn new(name: &'t str, text: &'t str) -> Self {
        Documents {
            name,
            parser: Parser::new_from_str(text),
        }
    }

    /// The next document; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Node>, Error> {
        let mut open: Vec<Open> = Vec::new();
        let mut nodes = 0;
        loop {
            let Some(event) = self.parser.next_event() else {
                return Ok(None);
            };
            let (event, span) = event.map_err(|error| Error::Malformed {
                name: self.name.to_owned(),
                position: error.marker().index() as u64,
                reason: error.info().to_owned(),
            })?;
            let bad = |reason: &str| Error::Malformed {
                name: self.name.to_owned(),
                position: span.start.index() as u64,
                reason: reason.to_owned(),
            };
            nodes += 1;
            if nodes > MOST_NODES {
                return Err(bad("one document has too many values"));
            }
            let whole = match event {
                Event::Scalar(text, ..) => Some(Node::Scalar(text.into_owned())),
                Event::SequenceStart(..) => {
                    open.push(Open::Sequence(Vec::new()));
                    None
                }
                Event::MappingStart(..) => {
                    open.push(Open::Mapping(Vec::new(), None));
                    None
                }
                Event::SequenceEnd | Event::MappingEnd => open.pop().map(|done| match done {
                    Open::Sequence(values) => Node::Sequence(values),
                    Open::Mapping(pairs, _) => Node::Mapping(pairs),
                }),
                Event::Alias(_) => return Err(bad("it has an alias, which modules.yaml does not need")),
                Event::StreamEnd => return Ok(None),
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => None,
            };
            if open.len() > DEEPEST {
                return Err(bad("its values are too deep inside each other"));
            }
            let Some(whole) = whole else { continue };
            match (open.last_mut(), whole) {
                (None, document) => return Ok(Some(document)),
                (Some(Open::Sequence(values)), value) => values.push(value),
                (Some(Open::Mapping(_, key @ None)), Node::Scalar(text)) => *key = Some(text),
                (Some(Open::Mapping(_, None)), _) => return Err(bad("a key is no text")),
                (Some(Open::Mapping(pairs, key)), value) => {
                    pairs.extend(key.take().map(|key| (key, value)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<Node>, Error> {
        let mut documents = Documents::new("m.yaml", text);
        let mut found = Vec::new();
        while let Some(document) = documents.next()? {
            found.push(document);
        }
        Ok(found)
    }

    #[test]
    fn documents_are_trees_of_texts() {
        let documents = all("---\na: 1.10\nb: [x, \"y z\"]\nc:\n  - - d\n...\n---\nplain\n").unwrap();
        let [first, second] = &documents[..] else {
            panic!("{documents:?}")
        };
        assert_eq!(first.get("a").and_then(Node::text), Some("1.10"));
        assert_eq!(first.get("b").map(Node::texts).unwrap(), ["x", "y z"]);
        assert_eq!(first.get("a").map(Node::texts).unwrap(), ["1.10"]);
        assert_eq!(first.get("c").unwrap().values()[0].texts(), ["d"]);
        assert_eq!(second.text(), Some("plain"));
        assert_eq!(all("").unwrap(), []);
    }

    #[test]
    fn bombs_do_not_unfold() {
        let laughs = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
        let error = all(laughs).unwrap_err().to_string();
        assert!(error.contains("alias"), "{error}");
        let deep = format!("{}x\n", "- ".repeat(500));
        let error = all(&deep).unwrap_err().to_string();
        assert!(error.contains("too deep"), "{error}");
        for text in [
            "a: [",
            "? [x]\n: y\n",
            "\"open",
            "a: b: c: d",
            "%YAML x\n",
            "\t- x\n - y: {",
        ] {
            assert!(all(text).is_err(), "{text}");
        }
    }
}
