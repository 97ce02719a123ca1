//! Boolean dependencies in normal form: a conjunction of clauses, or a disjunction of cubes.

use bareroot_rpm::rich::{self, Rich};

use super::{Literal, Stock};

/// More literals than this no honest dependency has: one that has is taken as one that cannot be met.
const MOST: usize = 200_000;

/// A normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// It never holds.
    Never,
    /// It always holds.
    Always,
    /// Sorted blocks: clauses all of which must hold, or cubes of which one must.
    Blocks(Vec<Vec<Literal>>),
}

/// Which normal form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A conjunction of clauses.
    Clauses,
    /// A disjunction of cubes.
    Cubes,
}

impl Shape {
    fn other(self) -> Shape {
        match self {
            Shape::Clauses => Shape::Cubes,
            Shape::Cubes => Shape::Clauses,
        }
    }
}

/// Whether libsolv needs a normal form: a formula without `and`, `if` and `unless` is a list of packages.
pub(super) fn is_complex(rich: &Rich<'_>) -> bool {
    match rich {
        Rich::And(_) | Rich::If(..) | Rich::Unless(..) => true,
        Rich::Or(operands) => operands.iter().any(is_complex),
        Rich::Simple(_) | Rich::With(_) | Rich::Without(..) => false,
    }
}

/// The clauses of a boolean dependency's text; one that cannot be read never holds.
pub(crate) fn clauses<'i>(stock: &Stock<'_, 'i>, text: &'i str) -> Form {
    match rich::parse(text) {
        Ok(rich) => form(stock, &rich, Shape::Clauses),
        Err(_) => Form::Never,
    }
}

/// The clauses of its negation; one that cannot be read forbids nothing.
pub(crate) fn negated<'i>(stock: &Stock<'_, 'i>, text: &'i str) -> Form {
    match rich::parse(text) {
        Ok(rich) => invert(form(stock, &rich, Shape::Cubes)),
        Err(_) => Form::Always,
    }
}

/// A formula's normal form.
pub(super) fn form<'i>(stock: &Stock<'_, 'i>, rich: &Rich<'i>, shape: Shape) -> Form {
    if !is_complex(rich) {
        let packages = stock.packages(rich);
        return match (packages.is_empty(), shape) {
            (true, _) => Form::Never,
            (false, Shape::Clauses) => Form::Blocks(vec![packages]),
            (false, Shape::Cubes) => Form::Blocks(packages.into_iter().map(|one| vec![one]).collect()),
        };
    }
    let plain = |rich: &Rich<'i>| form(stock, rich, shape);
    let absent = |rich: &Rich<'i>| invert(form(stock, rich, shape.other()));
    match rich {
        Rich::Or(operands) => operands
            .iter()
            .map(plain)
            .reduce(|one, two| or(one, two, shape))
            .unwrap_or(Form::Never),
        Rich::And(operands) => operands
            .iter()
            .map(plain)
            .reduce(|one, two| and(one, two, shape))
            .unwrap_or(Form::Always),
        Rich::If(then, condition, otherwise) => {
            let first = or(plain(then), absent(condition), shape);
            match otherwise {
                None => first,
                Some(otherwise) => and(first, or(plain(condition), plain(otherwise), shape), shape),
            }
        }
        Rich::Unless(then, condition, otherwise) => {
            let first = and(plain(then), absent(condition), shape);
            match otherwise {
                None => first,
                Some(otherwise) => or(first, and(plain(condition), plain(otherwise), shape), shape),
            }
        }
        Rich::Simple(_) | Rich::With(_) | Rich::Without(..) => Form::Never,
    }
}

fn or(one: Form, two: Form, shape: Shape) -> Form {
    match (one, two) {
        (Form::Always, _) | (_, Form::Always) => Form::Always,
        (Form::Never, other) | (other, Form::Never) => other,
        (Form::Blocks(one), Form::Blocks(two)) => match shape {
            Shape::Cubes => joined(one, two),
            Shape::Clauses => distributed(&one, &two, shape),
        },
    }
}

fn and(one: Form, two: Form, shape: Shape) -> Form {
    match (one, two) {
        (Form::Never, _) | (_, Form::Never) => Form::Never,
        (Form::Always, other) | (other, Form::Always) => other,
        (Form::Blocks(one), Form::Blocks(two)) => match shape {
            Shape::Clauses => joined(one, two),
            Shape::Cubes => distributed(&one, &two, shape),
        },
    }
}

fn joined(mut one: Vec<Vec<Literal>>, two: Vec<Vec<Literal>>) -> Form {
    one.extend(two);
    Form::Blocks(one)
}

/// Every block of the one merged with every block of the other, but for those that contradict themselves.
fn distributed(one: &[Vec<Literal>], two: &[Vec<Literal>], shape: Shape) -> Form {
    let mut blocks = Vec::new();
    let mut size = 0;
    for first in one {
        for second in two {
            let mut merged: Vec<Literal> = first.iter().chain(second).copied().collect();
            merged.sort_unstable();
            merged.dedup();
            if merged
                .iter()
                .any(|literal| merged.binary_search(&-literal).is_ok())
            {
                continue;
            }
            size += merged.len();
            if size > MOST {
                return Form::Never;
            }
            blocks.push(merged);
        }
    }
    match (blocks.is_empty(), shape) {
        (true, Shape::Cubes) => Form::Never,
        (true, Shape::Clauses) => Form::Always,
        (false, _) => Form::Blocks(blocks),
    }
}

fn invert(form: Form) -> Form {
    match form {
        Form::Never => Form::Always,
        Form::Always => Form::Never,
        Form::Blocks(blocks) => Form::Blocks(
            blocks
                .into_iter()
                .map(|block| block.into_iter().rev().map(|literal| -literal).collect())
                .collect(),
        ),
    }
}
