//! Boolean dependencies: `(a or b)`, `(a if b else c)` (rpm's manual, boolean_dependencies).

use crate::dependency::{Dependency, Sense};

/// How deep parentheses may stand in each other; rpm itself sets no limit, real ones have three.
const DEEPEST: usize = 64;

/// A boolean dependency, or an operand of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rich<'a> {
    /// A name, perhaps with a version.
    Simple(Dependency<'a>),
    /// All of them.
    And(Vec<Rich<'a>>),
    /// One of them.
    Or(Vec<Rich<'a>>),
    /// The first, if the second is met; else the third, where there is one.
    If(Box<Rich<'a>>, Box<Rich<'a>>, Option<Box<Rich<'a>>>),
    /// The first, unless the second is met; then the third, where there is one.
    Unless(Box<Rich<'a>>, Box<Rich<'a>>, Option<Box<Rich<'a>>>),
    /// All of them, by one package.
    With(Vec<Rich<'a>>),
    /// The first and not the second, by one package.
    Without(Box<Rich<'a>>, Box<Rich<'a>>),
}

/// Why a text is no boolean dependency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no boolean dependency: {reason}")]
pub struct RichError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl<'a> Rich<'a> {
    /// Every simple dependency in it, in the order of the text.
    pub fn simple(&self) -> Vec<Dependency<'a>> {
        let mut all = Vec::new();
        self.collect(&mut all);
        all
    }

    fn collect(&self, all: &mut Vec<Dependency<'a>>) {
        match self {
            Rich::Simple(dependency) => all.push(*dependency),
            Rich::And(operands) | Rich::Or(operands) | Rich::With(operands) => {
                operands.iter().for_each(|operand| operand.collect(all));
            }
            Rich::If(first, second, third) | Rich::Unless(first, second, third) => {
                first.collect(all);
                second.collect(all);
                if let Some(third) = third {
                    third.collect(all);
                }
            }
            Rich::Without(first, second) => {
                first.collect(all);
                second.collect(all);
            }
        }
    }
}

/// Parses a whole text.
///
/// # Errors
/// When it is not one boolean dependency.
pub fn parse(text: &str) -> Result<Rich<'_>, RichError> {
    let error = |reason| RichError {
        text: text.to_owned(),
        reason,
    };
    let mut parser = Parser { text, at: 0 };
    let rich = parser.group(0).map_err(error)?;
    parser.spaces();
    match parser.rest().is_empty() {
        true => Ok(rich),
        false => Err(error("something follows the last parenthesis")),
    }
}

/// What stands between two operands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    And,
    Or,
    If,
    Unless,
    Else,
    With,
    Without,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', ',']).len();
    }

    /// A parenthesis and what is in it.
    fn group(&mut self, depth: usize) -> Result<Rich<'a>, &'static str> {
        if depth > DEEPEST {
            return Err("its parentheses are too deep");
        }
        self.spaces();
        if !self.rest().starts_with('(') {
            return Err("it does not begin with a parenthesis");
        }
        self.at += 1;
        let first = self.operand(depth)?;
        let Some(operator) = self.operator()? else {
            return Ok(first);
        };
        match operator {
            Operator::And | Operator::Or | Operator::With => {
                let mut operands = vec![first, self.operand(depth)?];
                while let Some(next) = self.operator()? {
                    if next != operator {
                        return Err("it mixes operators without parentheses");
                    }
                    operands.push(self.operand(depth)?);
                }
                Ok(match operator {
                    Operator::And => Rich::And(operands),
                    Operator::Or => Rich::Or(operands),
                    _ => Rich::With(operands),
                })
            }
            Operator::Without => {
                let second = self.operand(depth)?;
                match self.operator()? {
                    None => Ok(Rich::Without(Box::new(first), Box::new(second))),
                    Some(_) => Err("nothing may follow the operands of `without`"),
                }
            }
            Operator::If | Operator::Unless => {
                let second = Box::new(self.operand(depth)?);
                let third = match self.operator()? {
                    None => None,
                    Some(Operator::Else) => {
                        let third = self.operand(depth)?;
                        if self.operator()?.is_some() {
                            return Err("nothing may follow `else` and its operand");
                        }
                        Some(Box::new(third))
                    }
                    Some(_) => return Err("only `else` may follow a condition"),
                };
                let first = Box::new(first);
                Ok(match operator {
                    Operator::If => Rich::If(first, second, third),
                    _ => Rich::Unless(first, second, third),
                })
            }
            Operator::Else => Err("`else` has no `if` or `unless` before it"),
        }
    }

    fn operand(&mut self, depth: usize) -> Result<Rich<'a>, &'static str> {
        self.spaces();
        if self.rest().starts_with('(') {
            return self.group(depth + 1);
        }
        let name = self.word();
        if name.is_empty() {
            return Err("an operand is missing");
        }
        let before = self.at;
        self.spaces();
        let rest = self.rest();
        let length = rest.len() - rest.trim_start_matches(['<', '=', '>']).len();
        let Some(operator) = rest.get(..length).filter(|operator| !operator.is_empty()) else {
            self.at = before;
            return Ok(Rich::Simple(Dependency {
                name,
                ..Dependency::default()
            }));
        };
        let sense = Sense::from_operator(operator).ok_or("it has an unknown comparison")?;
        self.at += length;
        self.spaces();
        let evr = self.word();
        if evr.is_empty() {
            return Err("a version is missing");
        }
        Ok(Rich::Simple(Dependency { name, sense, evr }))
    }

    /// A name or a version: up to a space, or to a parenthesis that it did not open itself (`libc.so.6()(64bit)`).
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let mut open = 0usize;
        let mut end = rest.len();
        for (at, character) in rest.char_indices() {
            match character {
                '(' => open += 1,
                ')' if open == 0 => {
                    end = at;
                    break;
                }
                ')' => open -= 1,
                ' ' | '\t' | ',' if open == 0 => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// The operator that follows; `None` for the closing parenthesis, which is taken.
    fn operator(&mut self) -> Result<Option<Operator>, &'static str> {
        self.spaces();
        if self.rest().starts_with(')') {
            self.at += 1;
            return Ok(None);
        }
        match self.word() {
            "and" => Ok(Some(Operator::And)),
            "or" => Ok(Some(Operator::Or)),
            "if" => Ok(Some(Operator::If)),
            "unless" => Ok(Some(Operator::Unless)),
            "else" => Ok(Some(Operator::Else)),
            "with" => Ok(Some(Operator::With)),
            "without" => Ok(Some(Operator::Without)),
            "" => Err("a parenthesis is not closed"),
            _ => Err("it has an unknown operator"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A short form in which structure shows.
    fn shown(rich: &Rich<'_>) -> String {
        let list = |word: &str, all: &[Rich<'_>]| {
            format!("{word}[{}]", all.iter().map(shown).collect::<Vec<_>>().join(" "))
        };
        let three = |word: &str, a: &Rich<'_>, b: &Rich<'_>, c: &Option<Box<Rich<'_>>>| {
            let third = c.as_ref().map_or_else(String::new, |c| format!(" {}", shown(c)));
            format!("{word}[{} {}{third}]", shown(a), shown(b))
        };
        match rich {
            Rich::Simple(dependency) => dependency.to_string().replace(' ', ""),
            Rich::And(all) => list("and", all),
            Rich::Or(all) => list("or", all),
            Rich::With(all) => list("with", all),
            Rich::If(a, b, c) => three("if", a, b, c),
            Rich::Unless(a, b, c) => three("unless", a, b, c),
            Rich::Without(a, b) => format!("without[{} {}]", shown(a), shown(b)),
        }
    }

    #[test]
    fn the_whole_grammar() {
        for (text, wanted) in [
            ("(a and b)", "and[a b]"),
            ("(a or b or c)", "or[a b c]"),
            ("(a if b)", "if[a b]"),
            ("(a if b else c)", "if[a b c]"),
            ("(a unless b)", "unless[a b]"),
            ("(a unless b else c)", "unless[a b c]"),
            ("(a >= 1 with a < 2)", "with[a>=1 a<2]"),
            ("(a without b)", "without[a b]"),
            ("((a or b) and (c if (d and e)))", "and[or[a b] if[c and[d e]]]"),
            (
                "(libc.so.6()(64bit) if glibc(x86-64) = 2.41-1.fc43)",
                "if[libc.so.6()(64bit) glibc(x86-64)=2.41-1.fc43]",
            ),
            ("(a)", "a"),
            ("( a   or  b )", "or[a b]"),
            ("(/usr/bin/x or y > 1:2-3)", "or[/usr/bin/x y>1:2-3]"),
        ] {
            let parsed = parse(text).map(|rich| shown(&rich));
            assert_eq!(parsed.as_deref(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_dependency() {
        for text in [
            "",
            "a",
            "(",
            "()",
            "(a",
            "(a or)",
            "(a or b",
            "(a or b) c",
            "(a or b and c)",
            "(a if b else c else d)",
            "(a else b)",
            "(a without b without c)",
            "(a xor b)",
            "(a >= )",
            "(a <> 1)",
            "(a or b))",
            "(a if b if c)",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let deep = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(parse(&deep).is_err());
    }

    #[test]
    fn names_in_order() {
        let rich = parse("((a or b) if (c and d = 1) else e)").unwrap();
        let names: Vec<&str> = rich.simple().iter().map(|d| d.name).collect();
        assert_eq!(names, ["a", "b", "c", "d", "e"]);
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "[ab()<>= ,orandif]{0,40}") {
            let _ = parse(&text);
        }
    }
}
