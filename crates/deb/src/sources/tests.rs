use proptest::prelude::*;

use bareroot_model::{Class, Classified};

use super::*;

fn list(text: &str) -> Result<Vec<Source>, Error> {
    parse_one_line("the.list", text.as_bytes())
}

fn stanzas(text: &str) -> Result<Vec<Source>, Error> {
    parse_deb822("the.sources", text.as_bytes())
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn plain(uri: &str, suite: &str, components: &[&str]) -> Source {
    Source {
        binary: true,
        uris: strings(&[uri]),
        suite: suite.to_owned(),
        components: strings(components),
        ..Source::default()
    }
}

#[test]
fn plain_lines() {
    for (line, expected) in [
        (
            "deb http://a.example/debian trixie main",
            plain("http://a.example/debian", "trixie", &["main"]),
        ),
        (
            "  deb\thttp://a.example/d  trixie main  contrib\r",
            plain("http://a.example/d", "trixie", &["main", "contrib"]),
        ),
        ("deb file:/srv/x ./ # flat", plain("file:/srv/x", "./", &[])),
        (
            "deb \"http://a.example/d\" x/y main#c",
            plain("http://a.example/d", "x/y", &["main"]),
        ),
        (
            "deb [] http://a.example x main",
            plain("http://a.example", "x", &["main"]),
        ),
        (
            "deb cdrom:[Debian 13 #1]/ trixie main # c",
            plain("cdrom:[Debian 13 #1]/", "trixie", &["main"]),
        ),
    ] {
        assert_eq!(list(line).unwrap(), [expected], "{line}");
    }
    let source = &list("deb-src http://a.example x main").unwrap()[0];
    assert!(source.source && !source.binary);
    assert!(
        list("# deb http://a.example x main\n\n   \n#")
            .unwrap()
            .is_empty()
    );
}

#[test]
fn options_of_a_line() {
    let fingerprint = "0123456789abcdef0123456789ABCDEF01234567";
    let line = format!(
        "deb [ arch=amd64,i386 arch+=arm64 arch-=i386 signed-by=/x/a.gpg,{fingerprint}! trusted=yes \
         check-valid-until=no by-hash=force valid-until-max=60 lang=none allow-insecure=no ] http://a.example x main"
    );
    let source = &list(&line).unwrap()[0];
    assert_eq!(source.architectures_of(&strings(&["mips"])), ["amd64", "arm64"]);
    let signed_by = source.signed_by.as_ref().unwrap();
    assert_eq!(signed_by.keyrings, [PathBuf::from("/x/a.gpg")]);
    assert_eq!(
        signed_by.fingerprints,
        [format!("{}!", fingerprint.to_uppercase())]
    );
    assert_eq!(
        (source.trusted, source.check_valid_until, source.allow_insecure),
        (Some(true), Some(false), Some(false))
    );
    assert_eq!(
        (source.by_hash, source.valid_until_max),
        (Some(ByHash::Force), Some(Duration::from_secs(60)))
    );
    assert_eq!(source.other, [("Languages".to_owned(), "none".to_owned())]);
    // No blank between type, brackets and address.
    assert_eq!(
        list("deb[trusted=no]http://a.example x main").unwrap()[0].trusted,
        Some(false)
    );
}

#[test]
fn malformed_lines() {
    for (line, part) in [
        ("rpm http://a.example x main", "neither deb nor deb-src"),
        ("deb", "no URI"),
        ("deb http://a.example", "no suite"),
        ("deb http://a.example x", "no components"),
        ("deb http://a.example x/ main", "has no components"),
        ("deb a.example x main", "not a URI"),
        ("deb http: x main", "not a URI"),
        ("deb [arch=amd64 http://a.example x main", "no `]`"),
        ("deb [amd64] http://a.example x main", "name=value"),
        ("deb [arch=] http://a.example x main", "name=value"),
        ("deb [=x] http://a.example x main", "name=value"),
        (
            "deb [trusted=maybe] http://a.example x main",
            "neither yes nor no",
        ),
        (
            "deb [by-hash=sometimes] http://a.example x main",
            "yes, no or force",
        ),
        ("deb [valid-until-min=x] http://a.example x main", "seconds"),
        (
            "deb [signed-by=a.gpg] http://a.example x main",
            "neither an absolute path nor a fingerprint",
        ),
        ("deb \"http://a.example x main", "quote"),
        ("deb cdrom:[x y main", "not closed"),
        ("deb http://a.example \0 \0", "control character"),
        ("deb \0 x main", "not a URI"),
    ] {
        let error = list(&format!("\n# x\n{line}\n")).unwrap_err();
        assert!(error.to_string().starts_with("the.list, line 3: "), "{error}");
        assert!(error.to_string().contains(part), "{line}: {error}");
        assert_eq!(error.class(), Class::Usage);
    }
    assert!(list("deb http://a.example \u{fffd} main").is_ok());
    assert!(parse_one_line("x", b"deb http://a.example \xff main").is_err());
}

#[test]
fn a_stanza() {
    let text = "\
# The distribution.
Types: deb deb-src
URIs: http://a.example/ubuntu http://b.example/ubuntu
Suites: noble noble-updates
# between
Components: main
# inside
 universe
architectures: amd64
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEYCQjIxYJKwYBBAHaRw8BAQ
 -----END PGP PUBLIC KEY BLOCK-----
X-Repolib-Name: Ubuntu

Enabled: no
Nonsense: yes

Types: deb
URIs: file:/srv/x
Suites: ./
";
    let sources = stanzas(text).unwrap();
    let seen: Vec<_> = sources
        .iter()
        .map(|s| (s.uris[0].as_str(), s.suite.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            ("http://a.example/ubuntu", "noble"),
            ("http://a.example/ubuntu", "noble-updates"),
            ("http://b.example/ubuntu", "noble"),
            ("http://b.example/ubuntu", "noble-updates"),
            ("file:/srv/x", "./"),
        ]
    );
    let first = &sources[0];
    assert!(first.binary && first.source);
    assert_eq!(first.components, ["main", "universe"]);
    let block = first.signed_by.as_ref().unwrap().key_block.as_ref().unwrap();
    assert_eq!(
        block,
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEYCQjIxYJKwYBBAHaRw8BAQ\n-----END PGP PUBLIC KEY BLOCK-----\n"
    );
    assert!(sources[4].is_flat() && !first.is_flat());

    // Written and read again, they are the same; the four of the first stanza are one stanza again.
    let written = render(&sources).unwrap();
    assert_eq!(written.matches("Types:").count(), 2, "{written}");
    assert_eq!(stanzas(&written).unwrap(), sources);
}

#[test]
fn malformed_stanzas() {
    let base = "Types: deb\nURIs: http://a.example\nSuites: x\nComponents: main\n";
    assert_eq!(
        stanzas(base).unwrap(),
        [plain("http://a.example", "x", &["main"])]
    );
    for (text, place) in [
        (
            base.replace("Types", "X-Types"),
            "line 1: the stanza has no `Types`",
        ),
        (base.replace("URIs", "X-URIs"), "line 1: the stanza has no `URIs`"),
        (
            base.replace("Suites: x", "Suites:"),
            "line 1: the stanza has no `Suites`",
        ),
        (
            base.replace("Components", "X-Components"),
            "line 1: the suite `x` has no components",
        ),
        (base.replace(": x", ": x/"), "line 1: the suite `x/` is a path"),
        (base.replace("deb", "rpm"), "line 1: the type `rpm`"),
        (
            format!("\n\n{base}Trusted: perhaps\n"),
            "line 7: `Trusted` is `perhaps`",
        ),
        (format!("{base}nonsense\n"), "line 5: `nonsense` is not a field"),
        (
            format!("{base}Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n abc\n"),
            "line 5: the key block",
        ),
    ] {
        let error = stanzas(&text).unwrap_err();
        assert!(
            error.to_string().starts_with(&format!("the.sources, {place}")),
            "{error}"
        );
        assert_eq!(error.class(), Class::Usage);
    }
}

#[test]
fn either_format() {
    let line = "# c\ndeb http://a.example x main\n";
    let stanza = "# c\n\nTypes: deb\nURIs: http://a.example\nSuites: x\nComponents: main\n";
    for (file, text, good) in [
        ("a.list", line, true),
        ("a.sources", stanza, true),
        ("a", line, true),
        ("a", stanza, true),
        ("a", "", true),
        ("a.list", stanza, false),
        ("a.sources", line, false),
    ] {
        assert_eq!(parse(file, text.as_bytes()).is_ok(), good, "{file}");
    }
}

#[test]
fn the_architecture_in_an_address() {
    let mut source = plain("http://a.example/$(ARCH)", "x/$(ARCH)/", &[]);
    source.expand("arm64");
    assert_eq!(source, plain("http://a.example/arm64", "x/arm64/", &[]));
}

#[test]
fn what_cannot_be_written() {
    let good = plain("http://a.example", "x", &["main"]);
    let bad = |change: &dyn Fn(&mut Source)| {
        let mut source = good.clone();
        change(&mut source);
        assert!(matches!(render(&[source]), Err(Error::Unwritable { .. })));
    };
    bad(&|source| source.suite = "x\nTrusted: yes".to_owned());
    bad(&|source| source.components = strings(&["main contrib"]));
    bad(&|source| source.components = strings(&[""]));
    bad(&|source| source.other = vec![("A:B".to_owned(), "c".to_owned())]);
    bad(&|source| source.uris = strings(&["cdrom:[a b]/"]));
    bad(&|source| {
        let key_block = Some("x".to_owned());
        source.signed_by = Some(SignedBy {
            key_block,
            keyrings: vec!["/x".into()],
            ..SignedBy::default()
        });
    });
    assert_eq!(render(&[]).unwrap(), "");
}

prop_compose! {
    fn any_source()(
        (binary, source) in prop_oneof![Just((true, false)), Just((false, true)), Just((true, true))],
        uri in "(http|https|file|copy):[a-z/.%~-]{1,12}",
        place in prop_oneof![
            ("[a-z][a-z./-]{0,8}/", Just(Vec::new())),
            ("[a-z][a-z/-]{0,8}[a-z]", prop::collection::vec("[a-z-]{1,6}", 1..3)),
        ],
        lists in prop::collection::vec(prop::collection::vec("[a-z0-9-]{1,6}", 0..3), 5),
        keyrings in prop::collection::vec("/[a-z/.-]{1,10}", 0..3),
        fingerprints in prop::collection::vec("[0-9A-F]{40}!?", 0..2),
        flags in prop::collection::vec(prop::option::of(any::<bool>()), 4),
        seconds in prop::collection::vec(prop::option::of(any::<u64>()), 3),
        by_hash in prop::option::of(prop_oneof![Just(ByHash::Yes), Just(ByHash::No), Just(ByHash::Force)]),
        other in prop::option::of("[a-z]{1,5}( [a-z]{1,5})?"),
    ) -> Source {
        let signed_by = SignedBy {
            keyrings: keyrings.into_iter().map(PathBuf::from).collect(),
            fingerprints,
            key_block: None,
        };
        let mut lists = lists.into_iter();
        let mut list = || lists.next().unwrap_or_default();
        let seconds: Vec<_> = seconds.into_iter().map(|seconds| seconds.map(Duration::from_secs)).collect();
        Source {
            binary,
            source,
            uris: vec![uri],
            suite: place.0,
            components: place.1,
            architectures: list(),
            architectures_add: list(),
            architectures_remove: list(),
            signed_by: Some(signed_by).filter(|signed_by| *signed_by != SignedBy::default()),
            trusted: flags[0],
            allow_insecure: flags[1],
            check_valid_until: flags[2],
            check_date: flags[3],
            valid_until_min: seconds[0],
            valid_until_max: seconds[1],
            date_max_future: seconds[2],
            by_hash,
            include: list(),
            exclude: list(),
            other: other.map(|value| ("X-Other".to_owned(), value)).into_iter().collect(),
        }
    }
}

proptest! {
    #[test]
    fn written_and_read(sources in prop::collection::vec(any_source(), 0..4)) {
        let text = render(&sources).unwrap();
        prop_assert_eq!(stanzas(&text).unwrap(), sources, "{}", text);
    }
}
