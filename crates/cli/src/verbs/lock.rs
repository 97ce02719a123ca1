//! `bareroot lock`: a lock is written, or moved, and what moved is said.

use std::fmt::Write as _;
use std::sync::Arc;

use bareroot_bootstrap::{Context, LockOrder, LockReport, Upgrade};
use bareroot_depot::lock::Move;
use bareroot_model::Observer;
use serde_json::{Value, json};

use crate::args::Lock;
use crate::base::Base;
use crate::exit::Failure;
use crate::observers::Observers;
use crate::{signals, text};

/// Locks.
pub fn run(verb: &Lock) -> Result<(), Failure> {
    let (spec, upgrade) = words(verb);
    let base = Base::of(spec.as_deref())?;
    let mut request = verb.plan.over(&base)?;
    request.meant_snapshot = request.snapshot.clone().or(request.meant_snapshot);
    let typed = verb.plan.arch.as_deref().unwrap_or_default();
    let order = LockOrder {
        path: verb.output.clone().unwrap_or_else(|| base.lock()),
        architectures: typed
            .split(',')
            .map(str::trim)
            .filter(|arch| !arch.is_empty())
            .map(str::to_owned)
            .collect(),
        upgrade,
    };
    // What was typed is the order's: several architectures are no request.
    request.arch = base.recipe().and_then(|recipe| recipe.arch.clone());
    let observers = Arc::new(Observers::new(&verb.talk, false));
    let context = Context::new(
        Arc::clone(&observers) as Arc<dyn Observer>,
        signals::cancel_on_signals(),
    );
    let result = bareroot_bootstrap::lock(&request, &order, &context).map_err(Failure::from);
    observers.end(result.as_ref().err())?;
    let report = result?;
    let words = match verb.talk.json {
        true => text::visible_json(&format!("{}\n", document(&report))),
        false => text::visible(&told(&report, &order.upgrade)),
    };
    text::to_stdout(&words);
    Ok(())
}

/// SPEC and what moves. `--upgrade` may have a word or none, so that the word behind it may be the SPEC.
fn words(verb: &Lock) -> (Option<String>, Upgrade) {
    let without_spec = verb.spec.is_none() && verb.plan.sources.is_empty() && verb.plan.repos.is_empty();
    match verb.upgrade.as_deref() {
        None => (verb.spec.clone(), Upgrade::Nothing),
        Some("") => (verb.spec.clone(), Upgrade::All),
        Some(word) if without_spec => (Some(word.to_owned()), Upgrade::All),
        Some(word) => (verb.spec.clone(), Upgrade::One(word.to_owned())),
    }
}

fn told(report: &LockReport, upgrade: &Upgrade) -> String {
    let mut words = String::new();
    let several = report.packages.len() > 1;
    for (arch, moves) in &report.moved {
        for moved in moves {
            let _ = match several {
                true => writeln!(words, "{arch}: {moved}"),
                false => writeln!(words, "{moved}"),
            };
        }
    }
    let packages: Vec<String> = report
        .packages
        .iter()
        .map(|(arch, count)| format!("{count} packages for {arch}"))
        .collect();
    let moved = report.moved.iter().any(|(_, moves)| !moves.is_empty());
    let state = match (report.written, upgrade, moved) {
        (true, Upgrade::Nothing, _) | (true, _, true) => String::new(),
        (true, ..) if report.moved.is_empty() => String::new(),
        (true, ..) => "; no package moved".to_owned(),
        (false, Upgrade::Nothing, _) => "; it is fresh and stays as it is, --upgrade moves it".to_owned(),
        (false, ..) => "; nothing moved".to_owned(),
    };
    let _ = writeln!(words, "{}: {}{state}", report.path.display(), packages.join(", "));
    words
}

fn document(report: &LockReport) -> Value {
    let moved = |moved: &Move| match moved {
        Move::Changed { name, from, to } => json!({ "name": name, "from": from, "to": to }),
        Move::Added { name, version } => json!({ "name": name, "from": null, "to": version }),
        Move::Gone { name, version } => json!({ "name": name, "from": version, "to": null }),
    };
    let roots: Vec<Value> = report
        .packages
        .iter()
        .map(|(arch, count)| {
            let moves = report
                .moved
                .iter()
                .filter(|(other, _)| other == arch)
                .flat_map(|(_, moves)| moves);
            json!({ "arch": arch, "packages": count, "moved": moves.map(moved).collect::<Vec<_>>() })
        })
        .collect();
    json!({ "path": report.path, "written": report.written, "roots": roots })
}
