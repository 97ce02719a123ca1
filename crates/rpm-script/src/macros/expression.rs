//! `%[expression]` and `%{expr:expression}` (rpm-macros(7), "Expression Expansion"; rpm's rpmio/expression.c).
//!
//! Integers are C's `int`. Macros are expanded within strings, and as integers or parts of them; what is not evaluated,
//! such as the other side of `||`, is not expanded.

use std::cmp::Ordering;

use bareroot_rpm::Evr;

use super::MacroError;
use super::define::shown;
use super::expand::{Expansion, matching};

#[derive(Clone, Debug)]
enum Value {
    Integer(i32),
    Text(Vec<u8>),
    Version(Vec<u8>),
}

impl Value {
    fn is_true(&self) -> bool {
        match self {
            Value::Integer(number) => *number != 0,
            Value::Text(text) => !text.is_empty(),
            Value::Version(_) => true,
        }
    }

    fn same_kind(&self, other: &Value) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// The value of an expression as a text.
pub(super) fn evaluate(text: &[u8], state: &mut Expansion<'_>) -> Result<Vec<u8>, MacroError> {
    let mut parser = Parser {
        text,
        at: 0,
        skipping: false,
        state,
    };
    let value = parser.choice()?;
    if parser.peek().is_some() {
        return parser.fail("syntax error in expression");
    }
    Ok(match value {
        Value::Integer(number) => number.to_string().into_bytes(),
        Value::Text(text) | Value::Version(text) => text,
    })
}

struct Parser<'t, 's, 'm> {
    text: &'t [u8],
    at: usize,
    /// Whether what is read does not count: it is not expanded.
    skipping: bool,
    state: &'s mut Expansion<'m>,
}

impl Parser<'_, '_, '_> {
    fn fail<T>(&self, what: &str) -> Result<T, MacroError> {
        Err(MacroError::Syntax(format!("{what}: {}", shown(self.text))))
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        self.at += self
            .rest()
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        self.rest().first().copied()
    }

    fn takes(&mut self, token: &str) -> bool {
        self.peek();
        let found = self.rest().starts_with(token.as_bytes());
        if found {
            self.at += token.len();
        }
        found
    }

    fn one_of(&mut self, tokens: &[&'static str]) -> Option<&'static str> {
        tokens.iter().find(|token| self.takes(token)).copied()
    }

    /// Reads something that may not count.
    fn unless<T>(
        &mut self,
        skip: bool,
        read: impl FnOnce(&mut Self) -> Result<T, MacroError>,
    ) -> Result<T, MacroError> {
        let before = self.skipping;
        self.skipping = before || skip;
        let value = read(self);
        self.skipping = before;
        value
    }

    /// Both sides must be of one kind, also where one of them does not count.
    fn matched(&self, one: &Value, other: &Value) -> Result<(), MacroError> {
        match one.same_kind(other) {
            true => Ok(()),
            false => self.fail("types must match"),
        }
    }

    /// A whole expression, which may be part of another.
    fn choice(&mut self) -> Result<Value, MacroError> {
        let (text, skipping) = (self.text, self.skipping);
        let at = self.at;
        let (value, at) = self.state.deeper(|state| {
            let mut inner = Parser {
                text,
                at,
                skipping,
                state,
            };
            Ok((inner.ternary()?, inner.at))
        })?;
        self.at = at;
        Ok(value)
    }

    /// `a ? b : c`.
    fn ternary(&mut self) -> Result<Value, MacroError> {
        let mut value = self.alternatives()?;
        if self.takes("?") {
            let holds = value.is_true();
            let first = self.unless(!holds, Self::choice)?;
            if !self.takes(":") {
                return self.fail("syntax error in expression");
            }
            let second = self.unless(holds, Self::choice)?;
            self.matched(&first, &second)?;
            value = if holds { first } else { second };
        }
        Ok(value)
    }

    /// `a || b` and `a && b`, which are of one rank in none of rpm's versions.
    fn alternatives(&mut self) -> Result<Value, MacroError> {
        let mut value = self.conjunction()?;
        while self.takes("||") {
            let holds = value.is_true();
            let other = self.unless(holds, Self::conjunction)?;
            self.matched(&value, &other)?;
            if !holds {
                value = other;
            }
        }
        Ok(value)
    }

    fn conjunction(&mut self) -> Result<Value, MacroError> {
        let mut value = self.relation()?;
        while self.takes("&&") {
            let holds = value.is_true();
            let other = self.unless(!holds, Self::relation)?;
            self.matched(&value, &other)?;
            if holds {
                value = other;
            }
        }
        Ok(value)
    }

    fn relation(&mut self) -> Result<Value, MacroError> {
        let mut value = self.sum()?;
        while let Some(operator) = self.one_of(&["==", "!=", "<=", ">=", "<", ">"]) {
            let other = self.sum()?;
            self.matched(&value, &other)?;
            let order = match (&value, &other) {
                (Value::Integer(one), Value::Integer(other)) => one.cmp(other),
                (Value::Text(one), Value::Text(other)) => one.cmp(other),
                (Value::Version(one), Value::Version(other)) => {
                    Evr::parse(&shown(one)).compare(&Evr::parse(&shown(other)))
                }
                _ => Ordering::Equal,
            };
            value = Value::Integer(i32::from(match operator {
                "==" => order.is_eq(),
                "!=" => order.is_ne(),
                "<=" => order.is_le(),
                ">=" => order.is_ge(),
                "<" => order.is_lt(),
                _ => order.is_gt(),
            }));
        }
        Ok(value)
    }

    fn sum(&mut self) -> Result<Value, MacroError> {
        let mut value = self.product()?;
        while let Some(operator) = self.one_of(&["+", "-"]) {
            let other = self.product()?;
            self.matched(&value, &other)?;
            value = match (value, other, operator) {
                (Value::Integer(one), Value::Integer(other), "+") => Value::Integer(one.wrapping_add(other)),
                (Value::Integer(one), Value::Integer(other), _) => Value::Integer(one.wrapping_sub(other)),
                (Value::Text(one), Value::Text(other), "+") => Value::Text([one, other].concat()),
                (value, ..) if self.skipping => value,
                (Value::Version(_), ..) => return self.fail("+ and - not supported for versions"),
                _ => return self.fail("- not supported for strings"),
            };
        }
        Ok(value)
    }

    fn product(&mut self) -> Result<Value, MacroError> {
        let mut value = self.unary()?;
        while let Some(operator) = self.one_of(&["*", "/"]) {
            let other = self.unary()?;
            self.matched(&value, &other)?;
            value = match (value, other, operator) {
                (Value::Integer(one), Value::Integer(other), "*") => Value::Integer(one.wrapping_mul(other)),
                (value, ..) if self.skipping => value,
                (Value::Integer(_), Value::Integer(0), _) => return self.fail("division by zero"),
                (Value::Integer(one), Value::Integer(other), _) => Value::Integer(one.wrapping_div(other)),
                _ => return self.fail("* and / not supported for strings"),
            };
        }
        Ok(value)
    }

    fn unary(&mut self) -> Result<Value, MacroError> {
        let mut signs = Vec::new();
        while let Some(sign) = self.peek().filter(|sign| b"!-".contains(sign)) {
            self.at += 1;
            signs.push(sign);
        }
        let mut value = self.primary()?;
        for sign in signs.iter().rev() {
            value = match (sign, value) {
                (b'!', value) => Value::Integer(i32::from(!value.is_true())),
                (_, Value::Integer(number)) => Value::Integer(number.wrapping_neg()),
                (_, value) if self.skipping => value,
                _ => return self.fail("- only on numbers"),
            };
        }
        Ok(value)
    }

    fn primary(&mut self) -> Result<Value, MacroError> {
        match self.peek() {
            None => self.fail("unexpected end of expression"),
            Some(b'(') => {
                self.at += 1;
                let value = self.choice()?;
                match self.takes(")") {
                    true => Ok(value),
                    false => self.fail("unmatched ("),
                }
            }
            Some(b'"') => Ok(Value::Text(self.string()?)),
            Some(b'v') if self.rest().starts_with(b"v\"") => {
                self.at += 1;
                Ok(Value::Version(self.string()?))
            }
            Some(b'%' | b'0'..=b'9') => self.integer(),
            Some(byte) if byte.is_ascii_alphabetic() => {
                self.fail("bare words are no longer supported, please use \"...\"")
            }
            Some(_) => self.fail("parse error in expression"),
        }
    }

    fn string(&mut self) -> Result<Vec<u8>, MacroError> {
        let begin = self.at + 1;
        let mut at = begin;
        loop {
            match self.text.get(at) {
                None => return self.fail("unterminated string in expression"),
                Some(b'"') => break,
                Some(b'%') => at = self.past_macro(at),
                Some(_) => at += 1,
            }
        }
        self.at = at + 1;
        let raw = self.text.get(begin..at).unwrap_or_default();
        match self.skipping {
            true => Ok(Vec::new()),
            false => self.state.expanded(raw),
        }
    }

    /// Where a macro that begins at a place ends.
    fn past_macro(&self, at: usize) -> usize {
        let close = match self.text.get(at + 1) {
            Some(b'{') => b'}',
            Some(b'(') => b')',
            Some(b'[') => b']',
            Some(_) => return at + 2,
            None => return at + 1,
        };
        matching(self.text, at + 1, close).map_or(self.text.len(), |end| end + 1)
    }

    /// Digits and macros, which together are an integer.
    fn integer(&mut self) -> Result<Value, MacroError> {
        let begin = self.at;
        let mut at = begin;
        let mut has_macros = false;
        while let Some(byte) = self.text.get(at) {
            match byte {
                b'0'..=b'9' => at += 1,
                b'%' => {
                    has_macros = true;
                    at = self.past_macro(at);
                }
                _ => break,
            }
        }
        self.at = at;
        let raw = self.text.get(begin..at).unwrap_or_default();
        if self.skipping {
            return Ok(Value::Integer(0));
        }
        let digits = match has_macros {
            true => self.state.expanded(raw)?,
            false => raw.to_vec(),
        };
        let text = shown(&digits);
        let (text, negative) = match text.strip_prefix('-') {
            Some(rest) => (rest.to_owned(), true),
            None => (text, false),
        };
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return match text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic()) {
                true => self.fail("macro expansion returned a bare word, please use \"...\""),
                false => self.fail("macro expansion did not return an integer"),
            };
        }
        // Nothing is 0; what is too large is cut as C cuts it.
        let number = match text.as_str() {
            "" => 0,
            digits => digits.parse::<i64>().unwrap_or(i64::MAX),
        };
        Ok(Value::Integer(if negative { -number } else { number } as i32))
    }
}
