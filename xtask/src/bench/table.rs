//! The results as Markdown, and the ratios that the project promises.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::contenders::Contender;
use super::measure::Series;

/// How many times as fast as a peer: who, than whom, at least, and the aim.
const RATIOS: &[(Contender, Contender, f64, f64)] = &[
    (Contender::Bareroot, Contender::Rdebootstrap, 1.7, 2.1),
    (Contender::Bareroot, Contender::Mmdebstrap, 4.5, 6.0),
    (Contender::Bareroot, Contender::Debootstrap, 8.0, 10.0),
    (Contender::BarerootWarm, Contender::RdebootstrapWarm, 3.0, 4.4),
];

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

/// The table, and each promise with the evidence against it.
pub fn render(series: &BTreeMap<Contender, Series>, rounds: u32) -> (String, Vec<(String, Vec<String>)>) {
    let mut text = format!(
        "Debian trixie, minbase, one mirror on the same machine, {rounds} rounds in turn, medians.\n\n\
         | tool | seconds | shortest to longest | CPU seconds | largest process | bareroot is faster by |\n\
         |---|---:|---:|---:|---:|---:|\n"
    );
    let seconds = |contender| series.get(&contender).map(Series::seconds);
    for (contender, runs) in series {
        let ours = match contender {
            Contender::RdebootstrapWarm | Contender::BarerootWarm => seconds(Contender::BarerootWarm),
            _ => seconds(Contender::Bareroot),
        };
        let ratio = match (contender, ours) {
            (Contender::Bareroot | Contender::BarerootWarm, _) | (_, None) => String::new(),
            (_, Some(ours)) => format!("{:.1} times", runs.seconds() / ours),
        };
        let (least, most) = runs.span();
        let _ = writeln!(
            text,
            "| {} | {:.2} | {least:.2} to {most:.2} | {:.2} | {} MiB | {ratio} |",
            name(*contender),
            runs.seconds(),
            runs.processor(),
            runs.mib()
        );
    }
    let _ = writeln!(
        text,
        "\n| bareroot's phases | without a cache | with a warm cache |\n|---|---:|---:|"
    );
    for phase in PHASES {
        let cell = |contender| {
            let value = series.get(&contender).and_then(|runs| runs.phase(phase));
            value.map_or_else(String::new, |value| format!("{value:.3} s"))
        };
        let _ = writeln!(
            text,
            "| {phase} | {} | {} |",
            cell(Contender::Bareroot),
            cell(Contender::BarerootWarm)
        );
    }
    (text, promises(series))
}

fn promises(series: &BTreeMap<Contender, Series>) -> Vec<(String, Vec<String>)> {
    let mut checks = Vec::new();
    for (ours, theirs, least, aim) in RATIOS {
        if let (Some(fast), Some(slow)) = (series.get(ours), series.get(theirs)) {
            let ratio = slow.seconds() / fast.seconds();
            let what = format!(
                "{} is at least {least} times as fast as {} (aim {aim}): {ratio:.2}",
                name(*ours),
                name(*theirs)
            );
            checks.push((
                what,
                below(ratio < *least, format!("{ratio:.2} is less than {least}")),
            ));
        }
    }
    for contender in [Contender::Bareroot, Contender::BarerootWarm] {
        if let Some(runs) = series.get(&contender) {
            let most = runs.mib();
            let what = format!("{} has at most {MEMORY} MiB resident: {most}", name(contender));
            checks.push((what, below(most > MEMORY, format!("{most} MiB"))));
        }
    }
    checks
}

fn below(missed: bool, evidence: String) -> Vec<String> {
    if missed { vec![evidence] } else { Vec::new() }
}

fn name(contender: Contender) -> &'static str {
    match contender {
        Contender::RdebootstrapWarm => "rdebootstrap, warm cache",
        Contender::BarerootWarm => "bareroot, warm cache",
        other => other.word(),
    }
}

#[cfg(test)]
mod tests {
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
        let (text, checks) = render(&series, 1);
        assert!(
            text.contains("| rdebootstrap | 3.40 | 3.40 to 3.40 | 0.00 | 1 MiB | 1.7 times |"),
            "{text}"
        );
        let missed: Vec<bool> = checks.iter().map(|(_, evidence)| !evidence.is_empty()).collect();
        assert_eq!(missed, [false, true, false]);
    }
}
