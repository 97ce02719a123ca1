//! `bareroot resolve`: the plan, without a target.

use std::fmt::Write as _;
use std::sync::Arc;

use bareroot_bootstrap::{Context, Resolution};
use bareroot_model::{Observer, Package, Reason};
use serde_json::json;

use crate::args::Resolve;
use crate::base::Base;
use crate::exit::Failure;
use crate::observers::Observers;
use crate::request::Insist as _;
use crate::{signals, text};

/// Prints the solution.
pub fn run(verb: &Resolve) -> Result<(), Failure> {
    let base = Base::of(verb.spec.as_deref())?;
    let mut request = verb.plan.over(&base)?;
    request.insist(verb.locked, &base);
    let observers = Arc::new(Observers::new(&verb.talk, false));
    let context = Context::new(
        Arc::clone(&observers) as Arc<dyn Observer>,
        signals::cancel_on_signals(),
    );
    let result = bareroot_bootstrap::resolve(&request, &context).map_err(Failure::from);
    observers.end(result.as_ref().err())?;
    let resolution = result?;
    let words = match (&verb.why, verb.talk.json) {
        (Some(name), _) => chain(&resolution, name)?,
        (None, true) => document(&resolution),
        (None, false) => table(&resolution),
    };
    text::to_stdout(&words);
    Ok(())
}

fn table(resolution: &Resolution) -> String {
    let mut table = String::new();
    for package in &resolution.packages {
        let _ = writeln!(
            table,
            "{:<32} {:<28} {:<6} {:>10}  {}",
            package.name,
            package.version,
            package.architecture,
            package.size,
            why(package)
        );
    }
    let bytes = resolution.packages.iter().map(|package| package.size).sum();
    let _ = writeln!(
        table,
        "{} packages, {}",
        resolution.packages.len(),
        text::bytes(bytes)
    );
    text::visible(&table)
}

fn document(resolution: &Resolution) -> String {
    let packages: Vec<_> = resolution
        .packages
        .iter()
        .map(|package| {
            json!({
                "name": package.name,
                "version": package.version,
                "architecture": package.architecture,
                "size": package.size,
                "sha256": package.sha256,
                "sha512": package.sha512,
                "url": resolution.url(package),
                "reason": package.reason,
            })
        })
        .collect();
    text::visible_json(&format!("{}\n", json!({ "packages": packages })))
}

fn why(package: &Package) -> String {
    match &package.reason {
        Reason::Variant { rule } => rule.clone(),
        Reason::Wished => "included".to_owned(),
        Reason::Dependency { of, kind, relation } => format!("{of} {kind}: {relation}"),
    }
}

/// From the package up to what asked for it.
fn chain(resolution: &Resolution, name: &str) -> Result<String, Failure> {
    let mut words = String::new();
    let mut package = resolution.find(name)?;
    // Reasons form a tree towards the wishes; the bound guards against a loop all the same.
    for _ in 0..resolution.packages.len() {
        let _ = writeln!(
            words,
            "{} {} {}: {}",
            package.name,
            package.version,
            package.architecture,
            why(package)
        );
        match &package.reason {
            Reason::Dependency { of, .. } => package = resolution.find(of)?,
            _ => break,
        }
    }
    Ok(text::visible(&words))
}
