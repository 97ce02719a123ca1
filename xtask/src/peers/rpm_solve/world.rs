//! Random repositories of packages that nobody has built: metadata alone, with every kind of relation.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;
use sha2::{Digest as _, Sha256};

use super::random::Random;

/// A repository as text.
pub struct World {
    /// primary.xml of each repository.
    pub primaries: Vec<String>,
    /// Each repository's priority and cost.
    pub ranks: Vec<(i32, i32)>,
    /// What can be wished.
    pub wishes: Vec<String>,
}

const RELATIONS: [&str; 7] = [
    "requires",
    "conflicts",
    "obsoletes",
    "recommends",
    "suggests",
    "supplements",
    "enhances",
];

struct Package {
    name: usize,
    epoch: usize,
    version: String,
    release: usize,
    arch: &'static str,
    provides: Vec<String>,
    relations: Vec<(usize, String)>,
    files: Vec<String>,
}

/// Makes a world.
pub fn make(random: &mut Random) -> World {
    let names = 20 + random.below(120);
    let capabilities = 5 + names / 6;
    let repositories = 1 + random.below(2);
    let quarrels = [0, 0, 0, 1, 1, 2][random.below(6)];
    let multilib = random.happens(20);
    let mut lists: Vec<Vec<Package>> = (0..repositories).map(|_| Vec::new()).collect();
    for name in 0..names {
        let versions = 1 + random.below(3) * random.below(2);
        for version in 0..versions {
            let mut arch = if random.happens(25) { "noarch" } else { "x86_64" };
            let (text, epoch) = (spelled(random, version), random.below(40) / 39);
            loop {
                let package = describe(random, name, names, capabilities, quarrels, &text, epoch, arch);
                let repository = random.below(repositories);
                lists[repository].push(package);
                if !multilib || arch != "x86_64" || !random.happens(30) {
                    break;
                }
                arch = "i686";
            }
        }
    }
    for list in &mut lists {
        for place in (1..list.len()).rev() {
            list.swap(place, random.below(place + 1));
        }
    }
    let ranked = random.happens(20);
    let ranks = (0..repositories)
        .map(|number| match (ranked, number) {
            (true, 1) => (
                50 + 49 * random.below(2) as i32,
                500 + 500 * random.below(2) as i32,
            ),
            _ => (99, 1000),
        })
        .collect();
    let mut wishes: Vec<String> = (0..names).map(|name| format!("p{name}")).collect();
    wishes.extend((0..capabilities).map(|number| format!("cap{number}")));
    wishes.extend((0..names).step_by(7).map(|name| format!("/usr/bin/p{name}")));
    World {
        primaries: lists.iter().map(|list| primary(list)).collect(),
        ranks,
        wishes,
    }
}

fn spelled(random: &mut Random, version: usize) -> String {
    match random.below(12) {
        0 => format!("{}.0~rc1", version + 1),
        1 => format!("{}.0^git1", version + 1),
        2 => format!("{}.{}", version + 1, random.below(12)),
        _ => format!("{}.0", version + 1),
    }
}

#[allow(clippy::too_many_arguments)]
fn describe(
    random: &mut Random,
    name: usize,
    names: usize,
    capabilities: usize,
    quarrels: usize,
    version: &str,
    epoch: usize,
    arch: &'static str,
) -> Package {
    let mut package = Package {
        name,
        epoch,
        version: version.to_owned(),
        release: 1 + random.below(2),
        arch,
        provides: Vec::new(),
        relations: Vec::new(),
        files: vec![format!("/usr/bin/p{name}")],
    };
    for _ in 0..random.below(4) {
        let capability = random.below(capabilities);
        package.provides.push(match random.below(3) {
            0 => format!("cap{capability}"),
            1 => format!("cap{capability} = {}", 1 + random.below(3)),
            _ => format!("cap{capability} = {}.{}-1", 1 + random.below(3), random.below(2)),
        });
    }
    let mut add = |random: &mut Random, kind: usize, most: usize, percent: usize| {
        for _ in 0..most {
            if random.happens(percent) {
                let relation = target(random, name, names, capabilities, kind);
                package.relations.push((kind, relation));
            }
        }
    };
    add(random, 0, 5, 35);
    add(random, 1, 2, 3 * quarrels);
    add(random, 3, 3, 20);
    add(random, 4, 2, 15);
    add(random, 5, 1, 10);
    add(random, 6, 1, 8);
    if random.happens(4 * quarrels) {
        let other = random.below(names);
        if other != name {
            let relation = match random.below(2) {
                0 => format!("p{other}"),
                _ => format!("p{other} < 2"),
            };
            package.relations.push((2, relation));
        }
    }
    package
}

/// Something that a relation names: mostly what there is.
fn target(random: &mut Random, own: usize, names: usize, capabilities: usize, kind: usize) -> String {
    let plain = |random: &mut Random| -> String {
        match random.below(10) {
            0..=3 => format!("cap{}", random.below(capabilities)),
            4 => format!("/usr/bin/p{}", random.below(names)),
            _ => {
                let near = match random.happens(70) {
                    true => own.saturating_sub(1 + random.below(12)),
                    false => random.below(names),
                };
                format!("p{near}")
            }
        }
    };
    let one = |random: &mut Random| -> String {
        let name = plain(random);
        if name.starts_with('/') || !random.happens(20) {
            return name;
        }
        // Most of what is required there is: else nothing could be installed.
        if random.happens(70) {
            return format!("{name} >= {}", ["0.5", "1", "1.0", "1.0-1"][random.below(4)]);
        }
        let operator = ["=", ">=", "<=", "<", ">", ">="][random.below(6)];
        let version = ["1.0", "2.0", "1", "2", "1.0-1", "2.0-1", "1.5"][random.below(7)];
        format!("{name} {operator} {version}")
    };
    if !random.happens(if kind == 2 { 0 } else { 18 }) {
        return one(random);
    }
    let (a, b) = (one(random), one(random));
    match random.below(if kind == 1 { 4 } else { 8 }) {
        0 => format!("({a} or {b})"),
        1 => format!("({a} with {b})"),
        2 => format!("({a} without {b})"),
        3 => match kind {
            1 => format!("({a} unless {b})"),
            _ => format!("({a} and {b})"),
        },
        4 => format!("({a} if {b})"),
        5 => format!("({a} if {b} else {})", one(random)),
        6 => format!("({a} or {b} or {})", one(random)),
        _ => format!("({a} and ({b} or {}))", one(random)),
    }
}

fn entry(relation: &str) -> String {
    let escape = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    let words: Vec<&str> = relation.split(' ').collect();
    match words[..] {
        [name, operator, evr] if !name.starts_with('(') => {
            let flags = match operator {
                "=" => "EQ",
                ">=" => "GE",
                "<=" => "LE",
                "<" => "LT",
                _ => "GT",
            };
            let (version, release) = match evr.split_once('-') {
                Some((version, release)) => (version, format!(" rel=\"{release}\"")),
                None => (evr, String::new()),
            };
            format!("<rpm:entry name=\"{name}\" flags=\"{flags}\" epoch=\"0\" ver=\"{version}\"{release}/>")
        }
        _ => format!("<rpm:entry name=\"{}\"/>", escape(relation)),
    }
}

fn primary(packages: &[Package]) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata xmlns=\"http://linux.duke.edu/metadata/common\" \
         xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"{}\">\n",
        packages.len()
    );
    for package in packages {
        let Package {
            name,
            epoch,
            version,
            release,
            arch,
            ..
        } = package;
        let digest = hex(&format!("{name} {version} {release} {arch} {epoch}"));
        let _ = write!(
            xml,
            "<package type=\"rpm\"><name>p{name}</name><arch>{arch}</arch><version epoch=\"{epoch}\" \
             ver=\"{version}\" rel=\"{release}\"/><checksum type=\"sha256\" pkgid=\"YES\">{digest}</checksum>\
             <summary>s</summary><description>d</description><packager/><url/><time file=\"1\" build=\"1\"/>\
             <size package=\"1\" installed=\"1\" archive=\"1\"/>\
             <location href=\"p{name}-{version}-{release}.{arch}.rpm\"/><format><rpm:license>MIT</rpm:license>\
             <rpm:vendor/><rpm:group>g</rpm:group><rpm:buildhost>b</rpm:buildhost>\
             <rpm:sourcerpm>p.src.rpm</rpm:sourcerpm><rpm:header-range start=\"1\" end=\"2\"/><rpm:provides>\
             <rpm:entry name=\"p{name}\" flags=\"EQ\" epoch=\"{epoch}\" ver=\"{version}\" rel=\"{release}\"/>"
        );
        package
            .provides
            .iter()
            .for_each(|provided| xml.push_str(&entry(provided)));
        xml.push_str("</rpm:provides>");
        for (kind, word) in RELATIONS.iter().enumerate() {
            let of_kind: Vec<&String> = package
                .relations
                .iter()
                .filter(|(own, _)| *own == kind)
                .map(|(_, text)| text)
                .collect();
            if of_kind.is_empty() {
                continue;
            }
            let _ = write!(xml, "<rpm:{word}>");
            of_kind.iter().for_each(|text| xml.push_str(&entry(text)));
            let _ = write!(xml, "</rpm:{word}>");
        }
        for file in &package.files {
            let _ = write!(xml, "<file>{file}</file>");
        }
        xml.push_str("</format></package>\n");
    }
    xml.push_str("</metadata>\n");
    xml
}

fn hex(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Writes a repository of a primary.xml.
pub fn write(directory: &Path, primary: &str) -> Result<()> {
    let repodata = directory.join("repodata");
    fs::create_dir_all(&repodata)?;
    fs::write(repodata.join("primary.xml"), primary)?;
    let digest = hex(primary);
    let repomd = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\">\
         <revision>1</revision><data type=\"primary\"><checksum type=\"sha256\">{digest}</checksum>\
         <open-checksum type=\"sha256\">{digest}</open-checksum><location href=\"repodata/primary.xml\"/>\
         <timestamp>1</timestamp><size>{size}</size><open-size>{size}</open-size></data></repomd>\n",
        size = primary.len()
    );
    fs::write(repodata.join("repomd.xml"), repomd)?;
    Ok(())
}
