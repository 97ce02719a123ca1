//! The order of transactions against rpm's own.
//!
//! `order/recorded.txt` holds random graphs of packages: each was written as a spec file, built with rpmbuild 4.18.0 and
//! added to a transaction of librpm 4.18.0 (x86_64, colour 3, preferred 2) in the order in which the packages stand here;
//! `order` is what rpmtsOrder made of it. Cycles, relations of all kinds and scriptlets, boolean ones, files and ELF
//! classes are among them. Lines: `KIND FLAGS EVR NAME` and `file MODE COLOUR DIRECTORY NAME DEPENDENCIES`, numbers as
//! rpm's headers have them.

use bareroot_rpm::{DependencyKind, Header, Limits, Tag};
use bareroot_rpm_script::{OrderChoice, order};
use bareroot_testkit::headers::Builder;

const RECORDED: &str = include_str!("order/recorded.txt");

const CHOICE: OrderChoice = OrderChoice {
    color: 3,
    preferred: 2,
    no_docs: false,
};

/// A graph: packages in the order of their addition, and rpm's order.
#[derive(Default)]
struct Graph {
    number: String,
    packages: Vec<(String, Builder)>,
    order: Vec<String>,
}

fn graphs(text: &str) -> Vec<Graph> {
    let mut all: Vec<Graph> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (word, rest) = line.split_once(' ').expect("a word");
        if word == "graph" {
            all.push(Graph {
                number: rest.to_owned(),
                ..Graph::default()
            });
            continue;
        }
        let graph = all.last_mut().expect("a graph");
        match word {
            "package" => graph.packages.push((rest.to_owned(), Builder::new(rest))),
            "order" => graph.order = rest.split(' ').map(str::to_owned).collect(),
            _ => entry(&mut graph.packages.last_mut().expect("a package").1, word, rest),
        }
    }
    all
}

fn entry(builder: &mut Builder, word: &str, rest: &str) {
    let hex = |text: &str| u32::from_str_radix(text, 16).expect("a number");
    if word == "file" {
        let fields: Vec<&str> = rest.split(' ').collect();
        let mode = u16::from_str_radix(fields[0], 8).expect("a mode");
        let depends: Vec<u32> = fields[4..].iter().map(|word| hex(word)).collect();
        let color = fields[1].parse().expect("a colour");
        builder.file(mode, color, fields[2], fields[3], &depends);
        return;
    }
    let kind = match word {
        "provides" => DependencyKind::Provides,
        "requires" => DependencyKind::Requires,
        "recommends" => DependencyKind::Recommends,
        "suggests" => DependencyKind::Suggests,
        "supplements" => DependencyKind::Supplements,
        "enhances" => DependencyKind::Enhances,
        "orders" => DependencyKind::Orders,
        other => panic!("{other}"),
    };
    let mut fields = rest.splitn(3, ' ');
    let mut next = || fields.next().expect("a field");
    let (sense, evr, name) = (next(), next(), next());
    builder.dependency(
        kind.tags().map(|tag| tag.0),
        hex(sense),
        if evr == "-" { "" } else { evr },
        name,
    );
}

fn built(builder: Builder) -> Header {
    let bytes = builder.bytes();
    Header::parse("made", bytes, Tag::HEADERIMMUTABLE, &Limits::default()).expect("a header")
}

#[test]
fn transactions_are_ordered_as_rpm_orders_them() {
    let recorded = graphs(RECORDED);
    assert!(recorded.len() >= 50, "{}", recorded.len());
    let mut wrong = Vec::new();
    for graph in recorded {
        let (names, builders): (Vec<String>, Vec<Builder>) = graph.packages.into_iter().unzip();
        let made: Vec<Header> = builders.into_iter().map(built).collect();
        let found = order(&made.iter().collect::<Vec<_>>(), &CHOICE);
        let found: Vec<&String> = found.into_iter().map(|place| &names[place]).collect();
        if found != graph.order.iter().collect::<Vec<_>>() {
            wrong.push(format!(
                "graph {}: {found:?}, rpm: {:?}",
                graph.number, graph.order
            ));
        }
    }
    assert!(wrong.is_empty(), "{}: {}", wrong.len(), wrong.join("\n"));
}
