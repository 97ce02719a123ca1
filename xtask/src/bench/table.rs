//! The results as Markdown, and the ratios that the project promises.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::measure::Series;

/// Who takes part in a bench.
pub trait Racer: Copy + Ord {
    /// Its name in the table.
    fn title(self) -> &'static str;
    /// The run of bareroot's that it is held against; `None` for those themselves.
    fn rival(self) -> Option<Self>;
}

/// Titles of the runs without and with a filled cache.
pub const COLD_AND_WARM: [&str; 2] = ["without a cache", "with a warm cache"];

/// How many times as fast as a peer: who, than whom, at least, and the aim.
pub type Ratio<R> = (R, R, f64, f64);

/// The most memory that bareroot may have resident, in MiB.
const MEMORY: u64 = 128;

/// bareroot's phases, in the order of a run.
const PHASES: &[&str] = &[
    "plan",
    "index",
    "solve",
    "prepare",
    "fetch",
    "unpack",
    "record",
    "configure",
    "finish",
];

/// The table below a heading, and one of bareroot's phases with a column for each of these runs.
pub fn render<R: Racer>(heading: &str, series: &BTreeMap<R, Series>, columns: &[(&str, R)]) -> String {
    let mut text = format!(
        "{heading}\n\n\
         | tool | seconds | shortest to longest | CPU seconds | largest process | bareroot is faster by |\n\
         |---|---:|---:|---:|---:|---:|\n"
    );
    let seconds = |racer| series.get(&racer).map(Series::seconds);
    for (racer, runs) in series {
        let ratio = match racer.rival().and_then(seconds) {
            None => String::new(),
            Some(ours) => format!("{:.1} times", runs.seconds() / ours),
        };
        let (least, most) = runs.span();
        let _ = writeln!(
            text,
            "| {} | {:.2} | {least:.2} to {most:.2} | {:.2} | {} MiB | {ratio} |",
            racer.title(),
            runs.seconds(),
            runs.processor(),
            runs.mib()
        );
    }
    let titles: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
    let _ = writeln!(
        text,
        "\n| bareroot's phases | {} |\n|---|{}",
        titles.join(" | "),
        "---:|".repeat(columns.len())
    );
    for phase in PHASES {
        let cell = |(_, racer): &(&str, R)| {
            let value = series.get(racer).and_then(|runs| runs.phase(phase));
            value.map_or_else(String::new, |value| format!("{value:.3} s"))
        };
        let cells: Vec<String> = columns.iter().map(cell).collect();
        let _ = writeln!(text, "| {phase} | {} |", cells.join(" | "));
    }
    text
}

/// Each promise with the evidence against it.
pub fn promises<R: Racer>(series: &BTreeMap<R, Series>, ratios: &[Ratio<R>]) -> Vec<(String, Vec<String>)> {
    let mut checks = Vec::new();
    for (ours, theirs, least, aim) in ratios {
        if let (Some(fast), Some(slow)) = (series.get(ours), series.get(theirs)) {
            let ratio = slow.seconds() / fast.seconds();
            let what = format!(
                "{} is at least {least} times as fast as {} (aim {aim}): {ratio:.2}",
                ours.title(),
                theirs.title()
            );
            checks.push((
                what,
                below(ratio < *least, format!("{ratio:.2} is less than {least}")),
            ));
        }
    }
    for (racer, runs) in series.iter().filter(|(racer, _)| racer.rival().is_none()) {
        let most = runs.mib();
        let what = format!("{} has at most {MEMORY} MiB resident: {most}", racer.title());
        checks.push((what, below(most > MEMORY, format!("{most} MiB"))));
    }
    checks
}

fn below(missed: bool, evidence: String) -> Vec<String> {
    if missed { vec![evidence] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::super::debian::contenders::{Contender, RATIOS};
    use super::super::measure::Sample;
    use super::*;

    #[test]
    fn a_missed_ratio_is_evidence() {
        let runs = |seconds: f64| {
            let mut series = Series::default();
            series.push(Sample {
                seconds,
                kib: 1024,
                ..Sample::default()
            });
            series
        };
        let series = BTreeMap::from([
            (Contender::Rdebootstrap, runs(3.4)),
            (Contender::Mmdebstrap, runs(8.0)),
            (Contender::Bareroot, runs(2.0)),
        ]);
        let columns = [("cold", Contender::Bareroot), ("warm", Contender::BarerootWarm)];
        let text = render("x", &series, &columns);
        let checks = promises(&series, RATIOS);
        assert!(
            text.contains("| rdebootstrap | 3.40 | 3.40 to 3.40 | 0.00 | 1 MiB | 1.7 times |"),
            "{text}"
        );
        let missed: Vec<bool> = checks.iter().map(|(_, evidence)| !evidence.is_empty()).collect();
        assert_eq!(missed, [false, true, false]);
    }
}
