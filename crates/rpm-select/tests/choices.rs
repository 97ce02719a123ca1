//! What is chosen, of repositories written by hand. `dnf` chooses the same.

use std::fmt::Write as _;

use bareroot_rpm_repo::Index;
use bareroot_rpm_repo::comps::Comps;
use bareroot_rpm_select::{Error, Repository, Settings, Universe, Why, Wishes, select};

/// A repository from lines: `name version [arch]`, then indented `requires x >= 1`, `file /x` and so on.
fn index(text: &str) -> Index {
    let mut xml = String::from("<metadata>");
    let mut open = false;
    let mut lists: Vec<(String, String)> = Vec::new();
    let mut files = String::new();
    let close = |xml: &mut String, lists: &mut Vec<(String, String)>, files: &mut String| {
        xml.push_str("<format>");
        for (kind, entry) in lists.drain(..) {
            let _ = write!(xml, "<rpm:{kind}>{entry}</rpm:{kind}>");
        }
        let _ = write!(xml, "{files}</format></package>");
        files.clear();
    };
    let entry = |words: &[&str]| match words {
        [name, operator, evr] if !name.starts_with('(') => {
            let flags = match *operator {
                "=" => "EQ",
                ">=" => "GE",
                "<=" => "LE",
                "<" => "LT",
                _ => "GT",
            };
            let (epoch, rest) = evr.split_once(':').unwrap_or(("0", evr));
            let (version, release) = rest
                .split_once('-')
                .map_or((rest, String::new()), |(version, release)| {
                    (version, format!(" rel=\"{release}\""))
                });
            format!(
                "<rpm:entry name=\"{name}\" flags=\"{flags}\" epoch=\"{epoch}\" ver=\"{version}\"{release}/>"
            )
        }
        words => format!(
            "<rpm:entry name=\"{}\"/>",
            words.join(" ").replace('<', "&lt;").replace('>', "&gt;")
        ),
    };
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if line.starts_with(' ') {
            match words[0] {
                "file" => {
                    let _ = write!(files, "<file>{}</file>", words[1]);
                }
                kind => lists.push((kind.to_owned(), entry(&words[1..]))),
            }
            continue;
        }
        if open {
            close(&mut xml, &mut lists, &mut files);
        }
        open = true;
        let (name, evr, arch) = (words[0], words[1], words.get(2).copied().unwrap_or("x86_64"));
        let (epoch, rest) = evr.split_once(':').unwrap_or(("0", evr));
        let _ = write!(
            xml,
            "<package><name>{name}</name><arch>{arch}</arch><version epoch=\"{epoch}\" ver=\"{rest}\" rel=\"1\"/>\
             <checksum type=\"sha256\">{name}{evr}{arch}</checksum><location href=\"{name}\"/>"
        );
        lists.push(("provides".to_owned(), entry(&[name, "=", &format!("{evr}-1")])));
    }
    if open {
        close(&mut xml, &mut lists, &mut files);
    }
    xml.push_str("</metadata>");
    Index::read("test", xml.as_bytes(), "x86_64").unwrap()
}

struct Case {
    indexes: Vec<Index>,
    repositories: Vec<Repository>,
    comps: Vec<Comps>,
    excludes: Vec<String>,
    weak: bool,
    optional: bool,
}

fn case(text: &str) -> Case {
    Case {
        indexes: vec![index(text)],
        repositories: vec![Repository::default()],
        comps: Vec::new(),
        excludes: Vec::new(),
        weak: true,
        optional: false,
    }
}

impl Case {
    fn selection(&self, words: &str) -> Result<bareroot_rpm_select::Selection, Error> {
        let universe = Universe::new(
            &self.indexes,
            &self.repositories,
            self.comps.iter().collect(),
            "x86_64",
            &self.excludes,
        );
        let wishes = Wishes {
            words: words
                .split(',')
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect(),
            whole: Vec::new(),
            optional: self.optional,
        };
        select(&universe, &wishes, &Settings { weak: self.weak })
    }

    fn chosen(&self, words: &str) -> String {
        match self.selection(words) {
            Ok(selection) => {
                let name = |pick: &bareroot_rpm_select::Pick| {
                    let package = self.indexes[pick.index].package(pick.package).unwrap();
                    match package.arch() {
                        "x86_64" => format!("{}-{}", package.name(), package.version()),
                        arch => format!("{}-{}.{arch}", package.name(), package.version()),
                    }
                };
                selection.picks.iter().map(name).collect::<Vec<_>>().join(" ")
            }
            Err(error) => format!("error: {error}"),
        }
    }
}

#[test]
fn requirements_are_met_by_names_provisions_and_files() {
    let case = case(
        "a 1\n requires b >= 2\n requires cap(x)\n requires /usr/bin/tool\nb 1\nb 2\nb 3\n\
                     c 1\n provides cap(x)\nd 1\n file /usr/bin/tool\ne 1\n",
    );
    assert_eq!(case.chosen("a"), "a-1 b-3 c-1 d-1");
    assert_eq!(case.chosen("b-1"), "b-1");
    assert_eq!(case.chosen("b-2-1.x86_64,e"), "b-2 e-1");
    assert_eq!(case.chosen("cap(x)"), "c-1");
    assert_eq!(case.chosen("/usr/bin/tool"), "d-1");
    assert_eq!(case.chosen("[b-c]"), "b-3 c-1");
    assert!(
        case.chosen("nothing")
            .starts_with("error: no package matches `nothing`")
    );
}

#[test]
fn a_provision_without_version_meets_every_requirement() {
    let case = case("a 1\n requires cap >= 2\nb 1\n provides cap\nc 1\n provides cap = 1\n");
    assert_eq!(case.chosen("a"), "a-1 b-1");
}

#[test]
fn conflicts_and_obsoletes_keep_packages_apart() {
    let case = case(
        "a 1\n requires cap\nb 1\n provides cap\n conflicts c\nc 1\nd 1\n provides cap\n\
                     new 2\n obsoletes old < 2\nold 1\nx 1\n conflicts y < 2\ny 1\ny 2\n",
    );
    assert_eq!(case.chosen("a,c"), "a-1 c-1 d-1");
    assert_eq!(case.chosen("old"), "new-2");
    assert_eq!(case.chosen("x,y"), "x-1 y-2");
    let error = case.chosen("b,c");
    assert!(
        error.contains("b-1-1.x86_64 conflicts with c, which is c-1-1.x86_64"),
        "{error}"
    );
}

#[test]
fn boolean_requirements() {
    let text = "a 1\n requires (b if c)\nb 1\nc 1\ne 1\n requires (b or c)\nf 1\n requires (b and c)\n\
                g 1\n requires (b if c else d)\nd 1\nh 1\n requires (lib >= 1 with lib < 3)\nlib 1\nlib 2\nlib 3\n\
                i 1\n conflicts (b unless c)\nj 1\n requires (cap without d)\nk 1\n provides cap\n";
    let case = case(text);
    assert_eq!(case.chosen("a"), "a-1");
    assert_eq!(case.chosen("a,c"), "a-1 b-1 c-1");
    assert_eq!(case.chosen("e"), "b-1 e-1");
    assert_eq!(case.chosen("e,c"), "c-1 e-1");
    assert_eq!(case.chosen("f"), "b-1 c-1 f-1");
    // Of `c or d` the first that was loaded is taken, as dnf takes it.
    assert_eq!(case.chosen("g"), "b-1 c-1 g-1");
    assert_eq!(case.chosen("g,d"), "d-1 g-1");
    assert_eq!(case.chosen("g,c"), "b-1 c-1 g-1");
    assert_eq!(case.chosen("h"), "h-1 lib-2");
    assert_eq!(case.chosen("i,b"), "b-1 c-1 i-1");
    assert_eq!(case.chosen("j"), "j-1 k-1");
}

#[test]
fn weak_dependencies_come_where_they_fit() {
    let mut case = case(
        "a 1\n recommends b\n recommends missing\n recommends c\nb 1\n recommends d\nc 1\n conflicts a\n\
                         d 1\nlang 1\n supplements (a and b)\nother 1\n supplements zzz\ns 1\n suggests b\n",
    );
    assert_eq!(case.chosen("a"), "a-1 b-1 d-1 lang-1");
    assert_eq!(case.chosen("s"), "s-1");
    case.weak = false;
    assert_eq!(case.chosen("a"), "a-1");
}

#[test]
fn architectures_and_repositories() {
    let mut case = case("a 1\na 1 i686\nb 2 i686\nc 1 noarch\nsrc 1 src\n");
    assert_eq!(case.chosen("a"), "a-1");
    // One word's package may be the answer to another.
    assert_eq!(case.chosen("a.i686,a"), "a-1.i686");
    assert_eq!(case.chosen("b,c"), "b-2.i686 c-1.noarch");
    assert!(case.chosen("src").starts_with("error"));
    case.indexes.push(index("a 2\nd 1\n"));
    case.repositories.push(Repository {
        priority: 1,
        excludes: vec!["d*".to_owned()],
        ..Repository::default()
    });
    assert_eq!(case.chosen("a"), "a-2");
    assert!(
        case.chosen("d")
            .starts_with("error: everything that matches `d` is excluded")
    );
    case.repositories[1].priority = 100;
    assert_eq!(case.chosen("a"), "a-1");
    case.repositories[1].priority = 99;
    case.repositories[0].includes = vec!["b".to_owned()];
    assert_eq!(case.chosen("a"), "a-2");
    case.excludes = vec!["a-2-1".to_owned()];
    assert!(case.chosen("a").starts_with("error"));
}

#[test]
fn groups_and_environments() {
    let mut case = case("m 1\n requires lib\nd 1\no 1\nc 1\nlib 1\nu 1\n");
    let text = "<comps><group><id>core</id><name>Core</name><packagelist>\
        <packagereq type='mandatory'>m</packagereq><packagereq type='default'>d</packagereq>\
        <packagereq type='optional'>o</packagereq><packagereq type='mandatory'>nowhere</packagereq>\
        <packagereq type='conditional' requires='u'>c</packagereq></packagelist></group>\
        <environment><id>minimal-environment</id><name>Minimal Install</name><grouplist><groupid>core</groupid>\
        </grouplist></environment></comps>";
    case.comps = vec![Comps::parse("comps", text.as_bytes()).unwrap()];
    assert_eq!(case.chosen("@core"), "d-1 lib-1 m-1");
    assert_eq!(case.chosen("@Minimal Install,u"), "c-1 d-1 lib-1 m-1 u-1");
    assert_eq!(case.chosen("@minimal-environment"), "d-1 lib-1 m-1");
    case.optional = true;
    assert_eq!(case.chosen("@core"), "d-1 lib-1 m-1 o-1");
    assert!(
        case.chosen("@gore")
            .starts_with("error: no group or environment is called `@gore`; there are core")
    );
    let selection = case.selection("@minimal-environment,u").unwrap();
    let why: Vec<&Why> = selection.picks.iter().map(|pick| &pick.why).collect();
    assert!(matches!(why[0], Why::Group(id) if id == "core"));
    assert!(matches!(why[2], Why::Dependency { of, .. } if of == "m"));
    assert!(matches!(why.last(), Some(Why::User)));
    assert_eq!(
        selection.groups.environments["minimal-environment"].groups,
        [("core".to_owned(), true)]
    );
}

/// As dnf 4 records them: what is required is a dependency, though a group's condition holds too.
#[test]
fn a_conditional_member_that_another_package_requires_is_a_dependency() {
    let comps = "<comps><group><id>core</id><name>Core</name><packagelist>\
        <packagereq type='mandatory'>m</packagereq><packagereq type='conditional' requires='m'>lib</packagereq>\
        <packagereq type='conditional' requires='m'>free</packagereq></packagelist></group></comps>";
    let mut case = case("m 1\n requires lib\nlib 1\nfree 1\n requires sub\nsub 1\n");
    case.comps = vec![Comps::parse("comps", comps.as_bytes()).unwrap()];
    assert_eq!(case.chosen("@core"), "free-1 lib-1 m-1 sub-1");
    let selection = case.selection("@core").unwrap();
    let why: Vec<&Why> = selection.picks.iter().map(|pick| &pick.why).collect();
    assert!(matches!(why[0], Why::Group(id) if id == "core"));
    assert!(matches!(why[1], Why::Dependency { of, .. } if of == "m"));
    assert!(matches!(why[3], Why::Dependency { of, .. } if of == "free"));
}

#[test]
fn paths_that_primary_does_not_know_are_asked_for() {
    let mut case = case("a 1\n requires /usr/share/x\nb 1\n");
    match case.selection("a") {
        Err(Error::NeedsFilelists { paths }) => assert_eq!(paths, ["/usr/share/x"]),
        other => panic!("{other:?}"),
    }
    case.indexes[0].add_files([("b1x86_64", "/usr/share/x")]);
    assert_eq!(case.chosen("a"), "a-1 b-1");
}

#[test]
fn an_impossible_wish_is_explained() {
    let case = case("a 1\n requires b\nb 1\n requires gone >= 3\ngone 2\n");
    assert_eq!(
        case.chosen("a"),
        "error: the packages cannot be installed together:\n  a-1-1.x86_64 is asked for\n  \
         a-1-1.x86_64 requires b, which b-1-1.x86_64 would provide\n  \
         b-1-1.x86_64 requires gone >= 3, which nothing provides"
    );
}
