//! A recipe to begin with.

use super::Recipe;

/// A minimal recipe with comments: what is set in `recipe` as values (`spec`, `variant`, `arch`, the packages and mirrors),
/// and the rest of what most people look for as comments.
pub fn minimal(recipe: &Recipe) -> String {
    let text = |value: &str| toml::Value::String(value.to_owned()).to_string();
    let list = |values: &[String]| {
        let words: Vec<String> = values.iter().map(|value| text(value)).collect();
        format!("[{}]", words.join(", "))
    };
    let or_comment = |name: &str, value: Option<String>, example: &str| match value {
        Some(value) => format!("{name} = {value}\n"),
        None => format!("# {name} = {example}\n"),
    };
    let given = |values: &[String]| (!values.is_empty()).then(|| list(values));
    let mut out = String::from("# A recipe for `bareroot bootstrap`: docs/recipe.md has every key.\n\n");
    out += &or_comment("spec", recipe.spec.as_deref().map(text), "\"debian:trixie\"");
    out += &or_comment("variant", recipe.variant.as_deref().map(text), "\"minbase\"");
    out += &or_comment("arch", recipe.arch.as_deref().map(text), "\"arm64\"");
    out += "\n[packages]\n";
    out += &format!("include = {}\n", list(&recipe.packages.include));
    out += &or_comment("exclude", given(&recipe.packages.exclude), "[]");
    let recommends = recipe.packages.recommends.map(|value| value.to_string());
    out += &or_comment("recommends", recommends, "true");
    out += "\n[from]\n";
    out += &or_comment(
        "mirrors",
        given(&recipe.from.mirrors),
        "[\"http://deb.debian.org/debian\"]",
    );
    out += &or_comment(
        "components",
        given(&recipe.from.components),
        "[\"main\", \"contrib\"]",
    );
    let updates = recipe.from.updates.map(|value| value.to_string());
    out += &or_comment("updates", updates, "true");
    out += &or_comment("sources", given(&recipe.from.sources), "[\"my.sources\"]");
    out += &or_comment("repos", given(&recipe.from.repos), "[\"my.repo\"]");
    out += &or_comment("releasever", recipe.from.releasever.as_deref().map(text), "\"9\"");
    if !recipe.trust.keyrings.is_empty() {
        out += &format!("\n[trust]\nkeyrings = {}\n", list(&recipe.trust.keyrings));
    }
    out += "\n# [hooks]\n# customize = [\"./customize.sh\"]\n";
    out += "\n# [output]\n# target = \"./root\"\n";
    out
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut recipe = Recipe {
            spec: Some("debian:trixie".into()),
            ..Recipe::default()
        };
        assert_eq!(parse("a", &minimal(&recipe)).unwrap(), recipe);
        recipe.variant = Some("custom".into());
        recipe.arch = Some("i386".into());
        recipe.packages.include = vec!["vim".into(), "a\"b\\".into()];
        recipe.packages.exclude = vec!["nano".into()];
        recipe.packages.recommends = Some(false);
        recipe.from.mirrors = vec!["http://m".into()];
        recipe.from.components = vec!["main".into()];
        recipe.from.updates = Some(true);
        recipe.from.sources = vec!["a.sources".into()];
        recipe.from.repos = vec!["a.repo".into()];
        recipe.from.releasever = Some("9".into());
        recipe.trust.keyrings = vec!["k.pgp".into()];
        assert_eq!(parse("a", &minimal(&recipe)).unwrap(), recipe);
    }

    #[test]
    fn its_comments_are_keys() {
        let text = minimal(&Recipe::default());
        let commented: String = text
            .lines()
            .skip(1)
            .map(|line| format!("{}\n", line.trim_start_matches("# ")))
            .collect();
        let recipe = parse("a", &commented).unwrap();
        assert_eq!(recipe.output.target.as_deref(), Some("./root"));
        assert_eq!(recipe.hooks.customize, ["./customize.sh"]);
    }
}
