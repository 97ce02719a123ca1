//! `bareroot carry`: programs, with all that each needs to run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use bareroot_bootstrap::{CarryItem, CarryPlaced, CarryPlan, CarryRequest, CarryWhat, Context, Error};
use bareroot_enter::mode::Adopted;
use bareroot_model::Observer;
use serde_json::{Value, json};

use crate::args::{Carry, Talk};
use crate::exit::Failure;
use crate::observers::Observers;
use crate::verbs::tell_mode;
use crate::{signals, text};

/// What goes in, or why that could not be found out.
pub type Carried = Result<CarryPlan, Error>;

/// Whether the source belongs to others than this user: then it is read before this process becomes root of a user
/// namespace, where they all look alike.
pub fn looks_ahead(verb: &Carry) -> bool {
    let is_roots = std::fs::metadata(&verb.from).is_ok_and(|metadata| metadata.uid() == 0);
    !verb.dry_run && is_roots && std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() != 0)
}

/// Finds out what goes in.
pub fn plan(verb: &Carry) -> Carried {
    let request = CarryRequest {
        from: verb.from.clone(),
        programs: verb.programs.clone(),
        files: verb.files.clone(),
        data: !verb.no_data,
        terminals: std::env::var("TERM").into_iter().collect(),
        target: verb.root.clone(),
    };
    Ok(CarryPlan::make(&request)?)
}

/// Carries, or says what would be.
pub fn run(verb: &Carry, carried: Option<Carried>, adopted: &Adopted) -> Result<(), Failure> {
    let talk = Talk {
        quiet: verb.quiet || verb.json,
        verbose: false,
        json: false,
        trace: None,
    };
    let observers = Arc::new(Observers::new(&talk, false));
    let context = Context::new(
        Arc::clone(&observers) as Arc<dyn Observer>,
        signals::cancel_on_signals(),
    );
    tell_mode(adopted, &context);
    let plan = carried.unwrap_or_else(|| plan(verb))?;
    for warning in plan.warnings() {
        context.warn(warning.clone());
    }
    let placed = match verb.dry_run {
        true => {
            plan.check(&verb.root, verb.force).map_err(Error::from)?;
            None
        }
        false => Some(bareroot_bootstrap::carry(
            &plan,
            &verb.root,
            verb.force,
            adopted.mode,
            &context,
        )?),
    };
    match (verb.json, &placed) {
        (true, placed) => {
            let words = format!("{}\n", document(verb, &plan, placed.as_ref()));
            text::to_stdout(&text::visible_json(&words));
        }
        (false, None) => text::to_stdout(&text::visible(&table(&plan))),
        (false, Some(placed)) => context.note(last_line(&plan, placed)),
    }
    Ok(())
}

/// A line for each path, and the sum.
fn table(plan: &CarryPlan) -> String {
    let mut table = String::new();
    for item in plan.items() {
        let target = match &item.what {
            CarryWhat::Link(text) => format!(" -> {}", String::from_utf8_lossy(text)),
            _ => String::new(),
        };
        let _ = writeln!(
            table,
            "{:<12} {:<9} {:>10}  {}{target}  ({}: {})",
            item.rule.name(),
            item.kind(),
            item.size(),
            item.path.display(),
            item.by,
            item.rule.reason(),
        );
    }
    let _ = writeln!(table, "{}", sum(plan));
    table
}

fn sum(plan: &CarryPlan) -> String {
    let count = |kind| plan.items().iter().filter(|item| item.kind() == kind).count();
    format!(
        "{} files, {} links, {} directories, {}",
        count("file"),
        count("link"),
        count("directory"),
        text::bytes(plan.bytes())
    )
}

/// What was carried, and how many files by each rule.
fn last_line(plan: &CarryPlan, placed: &CarryPlaced) -> String {
    let mut rules: BTreeMap<_, usize> = BTreeMap::new();
    for item in plan.items().iter().filter(|item| item.kind() == "file") {
        *rules.entry(item.rule).or_default() += 1;
    }
    let rules: Vec<String> = rules
        .iter()
        .map(|(rule, count)| format!("{} {count}", rule.name()))
        .collect();
    format!(
        "{} files, {} links and {} directories carried, {}; {} were there ({})",
        placed.files,
        placed.links,
        placed.directories,
        text::bytes(placed.bytes),
        placed.same,
        rules.join(", ")
    )
}

fn document(verb: &Carry, plan: &CarryPlan, placed: Option<&CarryPlaced>) -> Value {
    let warnings = plan
        .warnings()
        .iter()
        .chain(placed.iter().flat_map(|placed| &placed.warnings));
    json!({
        "root": verb.root.to_string_lossy(),
        "from": verb.from.to_string_lossy(),
        "dry_run": verb.dry_run,
        "bytes": plan.bytes(),
        "entries": plan.items().iter().map(entry).collect::<Vec<_>>(),
        "warnings": warnings.collect::<Vec<_>>(),
        "written": placed.map(|placed| json!({
            "files": placed.files,
            "links": placed.links,
            "directories": placed.directories,
            "same": placed.same,
            "bytes": placed.bytes,
        })),
    })
}

fn entry(item: &CarryItem) -> Value {
    let mut entry = json!({
        "path": item.path.to_string_lossy(),
        "kind": item.kind(),
        "size": item.size(),
        "mode": format!("{:04o}", item.mode),
        "uid": item.uid,
        "gid": item.gid,
        "rule": item.rule.name(),
        "reason": item.rule.reason(),
        "needed_by": &*item.by,
    });
    if let (CarryWhat::Link(text), Some(entry)) = (&item.what, entry.as_object_mut()) {
        entry.insert("target".to_owned(), String::from_utf8_lossy(text).into());
    }
    entry
}
