use bareroot_testkit::cases;
use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::harness::Case;

use crate::{Ground, package};

pub const CASES: &[Case] = cases![
    Nothing: everything, one_package, one_with_what_it_needs, one_that_is_not_there, as_json, a_changed_request;
];

fn packages(hello: &str, library: &str, wave: &str) -> Vec<DebBuilder> {
    vec![
        package("hello", hello).field("Depends", &format!("libhello (= {library})")),
        package("libhello", library),
        package("wave", wave).field("Depends", "libc"),
        package("libc", wave),
    ]
}

const INCLUDE: [&str; 2] = ["--include", "hello,wave"];

fn upgrade(ground: &Ground, words: &[&str]) -> Vec<String> {
    let options = [&INCLUDE[..], &["--upgrade"], words].concat();
    let run = ground.lock(&options).succeeded();
    run.stdout.lines().map(str::to_owned).collect()
}

fn last(state: &str) -> String {
    format!(
        "bareroot.lock: 8 packages for {}{state}",
        bareroot_testkit::base::ARCH
    )
}

fn everything() {
    let ground = Ground::with(&packages("1", "1", "1"));
    ground.lock(&INCLUDE).succeeded();
    let mut later = packages("2", "2", "1");
    later[2] = package("wave", "1.1").field("Depends", "libm");
    later[3] = package("libm", "7");
    ground.move_to(&later);
    let said = upgrade(&ground, &[]);
    assert_eq!(
        said,
        [
            "hello 1 -> 2",
            "- libc 1",
            "libhello 1 -> 2",
            "+ libm 7",
            "wave 1 -> 1.1",
            &last("")
        ]
    );
    assert_eq!(upgrade(&ground, &[]), [last("; nothing moved")]);
}

fn one_package() {
    let ground = Ground::with(&packages("1", "1", "1"));
    ground.lock(&INCLUDE).succeeded();
    ground.move_to(&packages("2", "2", "2"));
    assert_eq!(upgrade(&ground, &["wave"]), ["wave 1 -> 2".to_owned(), last("")]);
    let text = ground.text("bareroot.lock");
    for line in [
        "name = \"wave\", version = \"2\"",
        "name = \"libc\", version = \"1\"",
        "name = \"hello\", version = \"1\"",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let run = ground.run(&["resolve", "bareroot.lock"]).succeeded();
    assert!(run.stdout.contains("8 packages"), "{}", run.stdout);
}

fn one_with_what_it_needs() {
    for name in ["hello", "libhello"] {
        let ground = Ground::with(&packages("1", "1", "1"));
        ground.lock(&INCLUDE).succeeded();
        ground.move_to(&packages("2", "2", "2"));
        assert_eq!(
            upgrade(&ground, &[name]),
            ["hello 1 -> 2".to_owned(), "libhello 1 -> 2".to_owned(), last("")],
            "{name}"
        );
    }
}

fn one_that_is_not_there() {
    let ground = Ground::with(&packages("1", "1", "1"));
    ground.lock(&INCLUDE).succeeded();
    let options = [&INCLUDE[..], &["--upgrade", "nano"]].concat();
    ground
        .lock(&options)
        .failed(2, &["`nano` is not part of the solution"]);
    ground
        .lock(&["--include", "hello", "--upgrade", "hello"])
        .failed(8, &["include (-wave)"]);
}

fn as_json() {
    let ground = Ground::with(&packages("1", "1", "1"));
    let run = ground.lock(&[&INCLUDE[..], &["--json"]].concat()).succeeded();
    let arch = bareroot_testkit::base::ARCH;
    assert_eq!(
        run.stdout,
        format!(
            "{{\"path\":\"bareroot.lock\",\"roots\":[{{\"arch\":\"{arch}\",\"moved\":[],\"packages\":8}}],\"written\":true}}\n"
        )
    );
    ground.move_to(&packages("1", "1", "2"));
    let run = ground
        .lock(&[&INCLUDE[..], &["--json", "--upgrade", "wave"]].concat())
        .succeeded();
    let moved = "\"moved\":[{\"from\":\"1\",\"name\":\"wave\",\"to\":\"2\"}]";
    assert!(run.stdout.contains(moved), "{}", run.stdout);
}

fn a_changed_request() {
    let ground = Ground::with(&packages("1", "1", "1"));
    ground.lock(&INCLUDE).succeeded();
    let run = ground.lock(&["--include", "hello"]).succeeded();
    assert!(
        run.stdout
            .starts_with("- libc 1\n- wave 1\nbareroot.lock: 6 packages"),
        "{}",
        run.stdout
    );
}
