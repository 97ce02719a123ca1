//! Why wishes cannot be met together, in words.

use bareroot_rpm_repo::{Relation, RelationKind};
use bareroot_solve::{Candidate, Fact, Unsatisfiable};

use crate::pool::Pool;
use crate::universe::Id;

/// More lines help nobody.
const MOST_LINES: usize = 20;

/// A line for each fact, nearest to the wishes first. `wishes` are the words behind the needs that nobody has.
pub(crate) fn lines(unsatisfiable: &Unsatisfiable, pool: &Pool<'_, '_>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for fact in &unsatisfiable.facts {
        let line = match fact {
            Fact::Missing { by: Some(by) } => missing(*by, pool),
            Fact::Missing { by: None } => continue,
            Fact::Needs {
                by: Some(by),
                options,
            } => needs(*by, options, pool),
            Fact::Needs { by: None, options } => wished(options, pool),
            Fact::Excludes { by: Some(by), other } => excludes(*by, *other, pool),
            Fact::Excludes { by: None, other } => {
                Some(format!("{} has an inferior architecture", name(*other, pool)))
            }
            Fact::Same { one, other } => Some(format!(
                "{} and {} cannot be installed both",
                name(*one, pool),
                name(*other, pool)
            )),
        };
        if let Some(line) = line.filter(|line| !lines.contains(line)) {
            lines.push(line);
        }
        if lines.len() == MOST_LINES {
            break;
        }
    }
    lines
}

fn name(candidate: Candidate, pool: &Pool<'_, '_>) -> String {
    match pool.universe.package(Id(candidate.0)) {
        Some(package) if pool.is_package(candidate) => package.nevra(),
        _ => "a condition".to_owned(),
    }
}

fn wished(options: &[Candidate], pool: &Pool<'_, '_>) -> Option<String> {
    let first = options.first()?;
    Some(format!("{} is asked for", name(*first, pool)))
}

/// The requirement of `by` whose options these are.
fn requirement(by: Candidate, options: &[Candidate], pool: &Pool<'_, '_>) -> Option<String> {
    let package = pool.universe.package(Id(by.0)).filter(|_| pool.is_package(by))?;
    let same = |relation: &Relation<'_>| match relation.name.starts_with('(') {
        true => !options.iter().all(|option| pool.is_package(*option)),
        false => {
            let own: Vec<Candidate> = pool
                .universe
                .providers(relation)
                .into_iter()
                .map(|id| Candidate(id.0))
                .collect();
            own == options
        }
    };
    package
        .relations(RelationKind::Requires)
        .find(same)
        .map(|relation| relation.to_string())
}

fn needs(by: Candidate, options: &[Candidate], pool: &Pool<'_, '_>) -> Option<String> {
    let requirement = requirement(by, options, pool)?;
    let names: Vec<String> = options.iter().take(3).map(|option| name(*option, pool)).collect();
    Some(format!(
        "{} requires {requirement}, which {} would provide",
        name(by, pool),
        names.join(" or ")
    ))
}

fn missing(by: Candidate, pool: &Pool<'_, '_>) -> Option<String> {
    let requirement = requirement(by, &[], pool)?;
    Some(format!(
        "{} requires {requirement}, which nothing provides",
        name(by, pool)
    ))
}

fn excludes(by: Candidate, other: Candidate, pool: &Pool<'_, '_>) -> Option<String> {
    let package = pool
        .universe
        .package(Id(by.0))
        .filter(|_| pool.is_package(by) && pool.is_package(other))?;
    let conflict = package
        .relations(RelationKind::Conflicts)
        .find(|relation| pool.universe.providers(relation).contains(&Id(other.0)));
    let obsoleted = package
        .relations(RelationKind::Obsoletes)
        .find(|relation| pool.universe.called(relation).contains(&Id(other.0)));
    let (word, relation) = match (conflict, obsoleted) {
        (Some(relation), _) => ("conflicts with", relation),
        (_, Some(relation)) => ("obsoletes", relation),
        _ => {
            return Some(format!(
                "{} and {} cannot be installed both",
                name(by, pool),
                name(other, pool)
            ));
        }
    };
    Some(format!(
        "{} {word} {relation}, which is {}",
        name(by, pool),
        name(other, pool)
    ))
}
