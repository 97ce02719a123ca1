use bareroot_testkit::cases;
use bareroot_testkit::door::{self, SUITE};
use bareroot_testkit::harness::Case;

use crate::{Ground, package};

pub const CASES: &[Case] = cases![
    Nothing: init_writes_one, unknown_keys, values_that_mean_nothing, the_lock_beside_it, a_stale_lock, locked_by_recipe, the_documentation;
    Root: a_root_of_a_recipe, the_target_of_a_recipe;
];

fn ground() -> Ground {
    Ground::with(&[package("hello", "1"), package("other", "1")])
}

/// A recipe of the mirror's suite, with more lines of `[packages]`, and what follows.
fn recipe(ground: &Ground, packages: &str, more: &str) -> String {
    format!(
        "spec = \"debian:{SUITE}\"\n\n[packages]\n{packages}\n\n[from]\nmirrors = [\"{}\"]\n\n\
         [trust]\nkeyrings = [\"keyring.pgp\"]\n{more}\n",
        ground.door.mirror.url()
    )
}

fn init_writes_one() {
    let ground = ground();
    let spec = format!("debian:{SUITE}");
    let mut command = ground
        .door
        .command(["init", &spec, "--include", "hello", "--no-cache"]);
    command.args(ground.sources());
    door::run(command).succeeded();
    let text = ground.text("root.toml");
    assert!(
        text.contains("include = [\"hello\"]") && text.contains("# variant = \"minbase\""),
        "{text}"
    );
    let run = door::run(ground.door.command(["resolve", "root.toml"])).succeeded();
    assert!(
        run.stdout.contains("hello") && run.stdout.contains("5 packages"),
        "{}",
        run.stdout
    );
    // What is there is somebody's work.
    door::run(ground.door.command(["init", &spec])).failed(6, &["root.toml"]);
    assert_eq!(ground.text("root.toml"), text);
    door::run(ground.door.command(["init", "debian:sid", "other.toml"])).succeeded();
    assert!(ground.text("other.toml").contains("spec = \"debian:sid\""));
    door::run(ground.door.command(["init"])).failed(2, &["SPEC"]);
    door::run(ground.door.command(["init", "nowhere:1", "x.toml"])).failed(2, &["`nowhere`"]);
    door::run(
        ground
            .door
            .command(["init", "debian:sid", "x.toml", "--variant", "tiny"]),
    )
    .failed(2, &["`tiny`"]);
    assert!(!ground.path("x.toml").exists());
}

fn unknown_keys() {
    let ground = ground();
    for (text, words) in [
        (
            "spec = \"debian:tiny\"\n[packages]\ninclud = []\n",
            [
                "root.toml, line 3: there is no key `includ` in [packages]",
                "hint: the nearest known one is `include` in [packages]",
            ],
        ),
        (
            "spek = \"x\"\n",
            [
                "root.toml, line 1: there is no key `spek` in the top level",
                "hint: the nearest known one is `spec` at the top level",
            ],
        ),
        ("spec = 3\n", ["root.toml, line 1", "expected a string"]),
        ("spec = \n", ["root.toml, line 1", ""]),
    ] {
        ground.write("root.toml", text);
        ground.bootstrap("root.toml", "root", &[]).failed(2, &words);
        ground.run(&["lock", "root.toml"]).failed(2, &words);
    }
    ground
        .bootstrap("none.toml", "root", &[])
        .failed(2, &["cannot read `none.toml`"]);
}

fn values_that_mean_nothing() {
    let ground = ground();
    for (more, words) in [
        ("[make]\nmode = \"x\"", "`mode`"),
        ("[output]\nformat = \"zip\"", "`format`"),
        ("[make]\njobs = 0", "`jobs` is `0`"),
    ] {
        ground.write("root.toml", &recipe(&ground, "", more));
        ground
            .bootstrap("root.toml", "root", &[])
            .failed(2, &["root.toml", words]);
    }
}

fn the_lock_beside_it() {
    let ground = ground();
    std::fs::create_dir(ground.path("sub")).unwrap();
    std::fs::copy(ground.door.keyring(), ground.path("sub/keyring.pgp")).unwrap();
    ground.write("sub/root.toml", &recipe(&ground, "include = [\"hello\"]", ""));
    let run = ground.run(&["resolve", "sub/root.toml"]).succeeded();
    assert!(!run.stderr.contains("lock"), "{}", run.stderr);
    let run = ground.run(&["lock", "sub/root.toml"]).succeeded();
    assert!(
        run.stdout.contains("sub/bareroot.lock: 5 packages"),
        "{}",
        run.stdout
    );
    ground.move_to(&[package("hello", "2")]);
    for options in [&[][..], &["--locked"], &["--mirror", "file:/nowhere"]] {
        let run = ground
            .run(&[&["resolve", "sub/root.toml"], options].concat())
            .succeeded();
        assert!(run.stderr.contains("sub/bareroot.lock is used"), "{}", run.stderr);
        assert!(
            run.stdout
                .lines()
                .any(|line| line.starts_with("hello") && line.contains(" 1 ")),
            "{}",
            run.stdout
        );
    }
}

fn a_stale_lock() {
    let ground = ground();
    ground.write("root.toml", &recipe(&ground, "include = [\"hello\"]", ""));
    ground.run(&["lock", "root.toml"]).succeeded();
    ground.write(
        "root.toml",
        &recipe(&ground, "include = [\"other\"]\nexclude = [\"vim\"]", ""),
    );
    let run = ground.run(&["resolve", "root.toml"]).succeeded();
    assert!(
        run.stdout.contains("other") && !run.stdout.contains("hello"),
        "{}",
        run.stdout
    );
    let words = "include (-hello, +other)";
    assert!(
        run.stderr.contains("exclude (+vim)") && run.stderr.contains(words),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("it is not used"), "{}", run.stderr);
    // What is only about how the root is made leaves the lock as fresh as it was.
    ground.write(
        "root.toml",
        &recipe(
            &ground,
            "include = [\"hello\"]",
            "[make]\nhostname = \"h\"\n[hooks]\nsetup = [\"true\"]",
        ),
    );
    let run = ground.run(&["resolve", "root.toml"]).succeeded();
    assert!(run.stderr.contains("is used"), "{}", run.stderr);
    // A lock beside it that cannot be read is no lock to pass over.
    ground.write("bareroot.lock", "version = 7\n");
    ground.run(&["resolve", "root.toml"]).failed(8, &["version 7"]);
}

fn locked_by_recipe() {
    let ground = ground();
    ground.write("root.toml", &recipe(&ground, "include = [\"hello\"]", ""));
    let locked = |options: &[&str]| ground.bootstrap("root.toml", "root", &[&["--locked"], options].concat());
    locked(&[]).failed(8, &["there is no lock `bareroot.lock`"]);
    ground.run(&["lock", "root.toml"]).succeeded();
    locked(&["--include", "other"]).failed(8, &["include (+other)", "hint: `bareroot lock`"]);
    ground.write(
        "root.toml",
        &recipe(&ground, "include = [\"hello\"]\nrecommends = true", ""),
    );
    locked(&[]).failed(8, &["recommends (absent -> true)"]);
    assert!(!ground.path("root").exists());
}

fn a_root_of_a_recipe() {
    let ground = ground();
    let more = "[make]\nhostname = \"recipe\"\naptopts = [\"A::B 1\"]\n\
        [hooks]\ncustomize = [\"echo made > \\\"$1/made\\\"\"]\n\
        [[filters]]\nexclude = \"/usr/share/[ho]*\"\n[[filters]]\ninclude = \"/usr/share/hello\"\n";
    ground.write(
        "root.toml",
        &recipe(&ground, "include = [\"hello\", \"other\"]", more),
    );
    ground.run(&["lock", "root.toml"]).succeeded();
    let mut command = ground.command(&["bootstrap", "root.toml", "plain"]);
    command.env("SOURCE_DATE_EPOCH", ground.epoch());
    std::fs::rename(ground.path("bareroot.lock"), ground.path("away.lock")).unwrap();
    let run = door::run(command).succeeded();
    assert!(!run.stderr.contains("is used"), "{}", run.stderr);
    std::fs::rename(ground.path("away.lock"), ground.path("bareroot.lock")).unwrap();
    let run = ground.bootstrap("root.toml", "locked", &["--locked"]).succeeded();
    assert!(run.stderr.contains("bareroot.lock is used"), "{}", run.stderr);
    ground.assert_same("plain", "locked");
    assert_eq!(ground.text("locked/etc/hostname"), "recipe\n");
    assert_eq!(ground.text("locked/made"), "made\n");
    assert_eq!(ground.text("locked/etc/apt/apt.conf.d/99bareroot"), "A::B 1;\n");
    assert!(
        ground.path("locked/usr/share/hello").exists() && !ground.path("locked/usr/share/other").exists()
    );
    // The lock alone has the packages of the recipe, and says that it has no more.
    let run = ground.bootstrap("bareroot.lock", "bare", &[]).succeeded();
    assert!(
        run.stderr.contains("hooks and the like are in root.toml"),
        "{}",
        run.stderr
    );
    assert!(!ground.path("bare/made").exists());
}

fn the_target_of_a_recipe() {
    let ground = ground();
    ground.write("root.toml", &recipe(&ground, "", "[output]\ntarget = \"made\"\n"));
    ground.run(&["bootstrap", "root.toml"]).succeeded();
    assert!(ground.path("made/var/lib/dpkg/status").exists());
    ground.run(&["bootstrap", "root.toml", "typed"]).succeeded();
    assert!(ground.path("typed/var/lib/dpkg/status").exists());
    ground.write("root.toml", &recipe(&ground, "", ""));
    ground
        .run(&["bootstrap", "root.toml"])
        .failed(2, &["no target directory is given after `root.toml`"]);
}

/// docs/recipe.md has a row for each key, with its type and the option that says the same.
fn the_documentation() {
    use bareroot_depot::recipe::KEYS;
    let text = include_str!("../../docs/recipe.md");
    for key in KEYS {
        let options: Vec<String> = key
            .option
            .split(", ")
            .map(|option| format!("`{option}`"))
            .collect();
        let row = format!(
            "| `{}` | {} | {} | {} |",
            key.name,
            key.kind.words(),
            options.join(", "),
            key.kind.overriding()
        );
        let heading = match key.table {
            "" => "## Top level".to_owned(),
            table => format!("## `[{table}]`"),
        };
        let section = text
            .split(&heading)
            .nth(1)
            .unwrap_or_default()
            .split("\n## ")
            .next()
            .unwrap_or_default();
        assert!(section.contains(&row), "no row `{row}` below `{heading}`");
    }
    let rows = text.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, KEYS.len(), "a row that is no key");
}
