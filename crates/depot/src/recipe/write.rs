//! A recipe to begin with.

use super::keys::tables;
use super::{Filter, KEYS, Recipe};

/// What most people look for: keys that are written as comments where they are not set, each with an example.
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("", "spec", "\"debian:trixie\""),
    ("", "variant", "\"minbase\""),
    ("packages", "include", "[\"vim\"]"),
    ("packages", "exclude", "[\"nano\"]"),
    ("packages", "recommends", "true"),
    ("from", "mirrors", "[\"http://ftp.debian.org/debian\"]"),
    ("from", "updates", "true"),
    ("hooks", "customize", "[\"./customize.sh\"]"),
    ("output", "target", "\"./root\""),
];

/// The text of a recipe, minimal and with comments: what is set, and [`EXAMPLES`] of the rest.
pub fn render(recipe: &Recipe) -> String {
    let mut out = String::from("# A recipe for `bareroot bootstrap`; docs/recipe.md describes every key.\n");
    for table in tables() {
        let mut lines = String::new();
        let mut set = false;
        for key in KEYS.iter().filter(|key| key.table == table) {
            let example = EXAMPLES
                .iter()
                .find(|(table, name, _)| (*table, *name) == (key.table, key.name));
            match (value(recipe, key.table, key.name), example) {
                (Some(value), _) => {
                    set = true;
                    lines += &format!("{} = {value}\n", key.name);
                }
                (None, Some((_, name, example))) => lines += &format!("# {name} = {example}\n"),
                (None, None) => {}
            }
        }
        if lines.is_empty() {
            continue;
        }
        out += match (table, set) {
            ("", _) => "\n".to_owned(),
            (table, true) => format!("\n[{table}]\n"),
            (table, false) => format!("\n# [{table}]\n"),
        }
        .as_str();
        out += &lines;
    }
    out
}

/// The value of a key in TOML; `None` where it is not set.
fn value(recipe: &Recipe, table: &str, name: &str) -> Option<String> {
    let text = |value: &Option<String>| value.as_deref().map(quoted);
    let list = |values: &[String]| (!values.is_empty()).then(|| quoted_list(values));
    let yes = |value: bool| value.then(|| "true".to_owned());
    let either = |value: Option<bool>| value.map(|value| value.to_string());
    let number = |value: Option<u16>| value.map(|value| value.to_string());
    let Recipe {
        packages,
        from,
        trust,
        make,
        hooks,
        output,
        ..
    } = recipe;
    match (table, name) {
        ("", "spec") => text(&recipe.spec),
        ("", "variant") => text(&recipe.variant),
        ("", "arch") => text(&recipe.arch),
        ("", "filters") => filters(&recipe.filters),
        ("packages", "include") => list(&packages.include),
        ("packages", "exclude") => list(&packages.exclude),
        ("packages", "recommends") => either(packages.recommends),
        ("packages", "with-optional") => yes(packages.with_optional),
        ("packages", "langs") => packages.langs.as_deref().map(quoted_list),
        ("packages", "nodocs") => yes(packages.nodocs),
        ("from", "mirrors") => list(&from.mirrors),
        ("from", "components") => list(&from.components),
        ("from", "updates") => either(from.updates),
        ("from", "sources") => list(&from.sources),
        ("from", "repos") => list(&from.repos),
        ("from", "releasever") => text(&from.releasever),
        ("from", "snapshot") => text(&from.snapshot),
        ("from", "timeout") => number(from.timeout),
        ("from", "offline") => yes(from.offline),
        ("from", "cache-dir") => text(&from.cache_dir),
        ("from", "cache-from") => list(&from.cache_from),
        ("from", "payload-limit") => text(&from.payload_limit),
        ("from", "no-cache") => yes(from.no_cache),
        ("trust", "keyrings") => list(&trust.keyrings),
        ("trust", "no-check-valid-until") => yes(trust.no_check_valid_until),
        ("trust", "allow-weak-keys") => list(&trust.allow_weak_keys),
        ("trust", "allow-unauthenticated") => yes(trust.allow_unauthenticated),
        ("make", "mode") => text(&make.mode),
        ("make", "jobs") => number(make.jobs),
        ("make", "foreign") => yes(make.foreign),
        ("make", "merged-usr") => yes(make.merged_usr),
        ("make", "aptopts") => list(&make.aptopts),
        ("make", "dpkgopts") => list(&make.dpkgopts),
        ("make", "hostname") => text(&make.hostname),
        ("make", "no-host-files") => yes(make.no_host_files),
        ("make", "rpmdb-backend") => text(&make.rpmdb_backend),
        ("make", "no-standins") => yes(make.no_standins),
        ("hooks", "setup") => list(&hooks.setup),
        ("hooks", "extract") => list(&hooks.extract),
        ("hooks", "essential") => list(&hooks.essential),
        ("hooks", "customize") => list(&hooks.customize),
        ("output", "target") => text(&output.target),
        ("output", "format") => text(&output.format),
        _ => None,
    }
}

fn quoted(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}

fn quoted_list(values: &[String]) -> String {
    let words: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    format!("[{}]", words.join(", "))
}

fn filters(filters: &[Filter]) -> Option<String> {
    let rows = filters.iter().map(|filter| {
        let (name, glob) = match filter {
            Filter::Exclude(glob) => ("exclude", glob),
            Filter::Include(glob) => ("include", glob),
        };
        format!("  {{ {name} = {} }},\n", quoted(glob))
    });
    (!filters.is_empty()).then(|| format!("[\n{}]", rows.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::super::read::tests::complete;
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut recipe = parse("a", &complete()).unwrap();
        assert_eq!(parse("a", &render(&recipe)).unwrap(), recipe);
        recipe.packages.include = vec!["a\"b\\".into(), "two\nlines".into()];
        recipe.packages.recommends = Some(false);
        recipe.packages.langs = Some(Vec::new());
        assert_eq!(parse("a", &render(&recipe)).unwrap(), recipe);
        let empty = Recipe::default();
        assert_eq!(parse("a", &render(&empty)).unwrap(), empty);
        for key in KEYS {
            assert!(value(&recipe, key.table, key.name).is_some(), "{key:?}");
        }
    }

    #[test]
    fn its_comments_are_keys() {
        let text = render(&Recipe::default());
        let commented: String = text
            .lines()
            .skip(1)
            .map(|line| format!("{}\n", line.trim_start_matches("# ")))
            .collect();
        let recipe = parse("a", &commented).unwrap();
        assert_eq!(recipe.output.target.as_deref(), Some("./root"));
        assert_eq!(recipe.hooks.customize, ["./customize.sh"]);
        assert!(
            EXAMPLES
                .iter()
                .all(|(table, name, _)| value(&recipe, table, name).is_some())
        );
    }
}
