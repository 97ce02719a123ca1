//! From a text to a recipe, with errors that name a line.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Recipe;
use super::keys::{KEYS, tables};
use crate::error::Error;
use crate::nearest::nearest;
use crate::place;

/// Reads a recipe; `path` is for messages.
///
/// # Errors
/// [`Error::UnknownKey`] for a key that means nothing, [`Error::Recipe`] for anything else.
pub fn parse(path: &str, text: &str) -> Result<Recipe, Error> {
    let broken = |error: toml::de::Error| Error::Recipe {
        path: path.to_owned(),
        line: place::line(text, error.span().map_or(0, |span| span.start)),
        reason: error.message().lines().collect::<Vec<_>>().join(" "),
    };
    let document = DeTable::parse(text).map_err(broken)?;
    for (name, value) in document.get_ref() {
        check(path, text, name, value)?;
    }
    toml::from_str(text).map_err(broken)
}

/// A key of the top level, and those of its table.
fn check(
    path: &str,
    text: &str,
    name: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
) -> Result<(), Error> {
    let word = name.get_ref().as_ref();
    let unknown = |table: &str, name: &Spanned<std::borrow::Cow<'_, str>>| Error::UnknownKey {
        path: path.to_owned(),
        line: place::line(text, name.span().start),
        key: name.get_ref().to_string(),
        section: match table {
            "" => "the top level".to_owned(),
            table => format!("[{table}]"),
        },
        nearest: likely(table, name.get_ref()),
    };
    if KEYS.iter().any(|key| key.table.is_empty() && key.name == word) {
        return Ok(());
    }
    if !tables().iter().any(|table| !table.is_empty() && *table == word) {
        return Err(unknown("", name));
    }
    // What is no table is a value of the wrong type, which the parser of values names.
    for (inner, _) in value.get_ref().as_table().into_iter().flatten() {
        let known = KEYS
            .iter()
            .any(|key| key.table == word && key.name == inner.get_ref().as_ref());
        if !known {
            return Err(unknown(word, inner));
        }
    }
    Ok(())
}

/// The key that was probably meant: one of the same table, unless the very name is known in another.
fn likely(table: &str, word: &str) -> String {
    let shown = |table: &str, name: &str| match table {
        "" => format!("`{name}` at the top level"),
        table => format!("`{name}` in [{table}]"),
    };
    if let Some(key) = KEYS.iter().find(|key| key.name == word) {
        return shown(key.table, key.name);
    }
    let own = KEYS.iter().filter(|key| key.table == table).map(|key| key.name);
    let sections = tables()
        .into_iter()
        .filter(|section| table.is_empty() && !section.is_empty());
    let found = nearest(word, own.chain(sections)).unwrap_or_default();
    match KEYS.iter().any(|key| key.table == table && key.name == found) {
        true => shown(table, found),
        false => format!("[{found}]"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::Filter;
    use super::super::keys::Kind;
    use super::*;

    /// A document with every key of the schema, each with a value.
    pub fn complete() -> String {
        let mut text = String::new();
        for table in tables() {
            if !table.is_empty() {
                text.push_str(&format!("[{table}]\n"));
            }
            for key in KEYS.iter().filter(|key| key.table == table) {
                let value = match key.kind {
                    Kind::Text => "\"word\"",
                    Kind::Added | Kind::Replaced => "[\"a\", \"b\"]",
                    Kind::Bool => "true",
                    Kind::Number => "7",
                    Kind::Filters => "[{ exclude = \"/a\" }, { include = \"/b\" }]",
                };
                text.push_str(&format!("{} = {value}\n", key.name));
            }
        }
        text
    }

    #[test]
    fn the_schema_is_the_structure() {
        let recipe = parse("root.toml", &complete()).unwrap();
        // Every field that the structure has was set by a key of the schema: none is left as it is by default.
        let shown = format!("{recipe:#?}");
        for (line, left) in shown.lines().zip(1..) {
            let value = line.rsplit(": ").next().unwrap_or_default();
            assert!(
                !["None,", "[],", "false,", "\"\","].contains(&value),
                "line {left}: {line}"
            );
        }
        assert_eq!(
            recipe.filters,
            [Filter::Exclude("/a".into()), Filter::Include("/b".into())]
        );
        let fields = shown
            .lines()
            .filter(|line| line.contains(": ") || line.contains("("))
            .count();
        assert!(fields >= KEYS.len(), "{fields} fields, {} keys", KEYS.len());
    }

    #[test]
    fn types_are_checked_with_the_line() {
        for (text, line, words) in [
            ("spec = 3\n", 1, "integer `3`"),
            ("\n[packages]\ninclude = \"vim\"\n", 3, "string \"vim\""),
            ("[make]\njobs = -1\n", 2, "-1"),
            ("\nspec = \"a\n", 2, "string"),
            ("a = \n", 1, "value"),
            ("spec = \"a\"\nspec = \"b\"\n", 2, "duplicate"),
            ("filters = [{ ex = \"x\" }]\n", 1, "ex"),
            ("packages = 3\n", 1, "integer"),
        ] {
            match parse("root.toml", text) {
                Err(Error::Recipe {
                    line: found, reason, ..
                }) => {
                    assert_eq!(found, line, "{text}: {reason}");
                    assert!(reason.contains(words), "{text}: {reason}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn unknown_keys_are_named_with_the_nearest() {
        for (text, line, section, nearest) in [
            (
                "varaint = \"x\"\n",
                1,
                "the top level",
                "`variant` at the top level",
            ),
            ("# a\nspec = \"x\"\n[pacages]\n", 3, "the top level", "[packages]"),
            (
                "[packages]\ninclude = []\ninclud = []\n",
                3,
                "[packages]",
                "`include` in [packages]",
            ),
            ("include = []\n", 1, "the top level", "`include` in [packages]"),
            (
                "[packages]\nmirrors = []\n",
                2,
                "[packages]",
                "`mirrors` in [from]",
            ),
            ("trust.keyring = []\n", 1, "[trust]", "`keyrings` in [trust]"),
        ] {
            match parse("root.toml", text) {
                Err(Error::UnknownKey {
                    line: found,
                    section: of,
                    nearest: like,
                    ..
                }) => {
                    assert_eq!(
                        (found, of.as_str(), like.as_str()),
                        (line, section, nearest),
                        "{text}"
                    );
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
