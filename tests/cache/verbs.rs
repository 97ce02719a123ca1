//! `bareroot cache`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bareroot_testkit::cases;
use bareroot_testkit::door::{Door, Going, Run, Signal, run};
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::Fault;
use serde_json::Value;

use crate::{EXTRACT, door, extract, files, into, remove, repository, tree, warm};

pub const CASES: &[Case] = cases![
    Nothing: the_directory, somebodys_home_is_safe, nothing_there_yet;
    Root: sizes_by_kind, what_is_old_goes, what_a_run_uses_stays, broken_files_by_name, offline_after_pruning;
];

const DAY: u64 = 24 * 60 * 60;

fn cache(door: &Door, words: &[&str]) -> Run {
    run(door.command([&["cache"], words].concat()))
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stdout))
}

fn age(path: &Path, seconds: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(seconds))
        .unwrap();
}

fn the_directory() {
    let door = door(&repository());
    let run = cache(&door, &["dir"]).succeeded();
    assert_eq!(run.stdout, format!("{}\n", door.path("xdg/bareroot").display()));
    let run = cache(&door, &["dir", "--cache-dir", "elsewhere", "--json"]).succeeded();
    assert_eq!(json(&run)["dir"], "elsewhere");
    let mut homeless = door.command(["cache", "dir"]);
    homeless.env_remove("HOME").env_remove("XDG_CACHE_HOME");
    bareroot_testkit::door::run(homeless).failed(2, &["no cache directory"]);
}

fn nothing_there_yet() {
    let door = door(&repository());
    let run = cache(&door, &["size", "--json"]).succeeded();
    assert_eq!(json(&run)["bytes"], 0);
    cache(&door, &["prune"]).succeeded();
    cache(&door, &["verify"]).succeeded();
    assert!(!door.path("xdg/bareroot").exists());
}

fn somebodys_home_is_safe() {
    let door = door(&repository());
    let home = door.path("home");
    let thesis = home.join("v1/archives/ab/thesis");
    fs::create_dir_all(thesis.parent().unwrap()).unwrap();
    fs::write(&thesis, "precious").unwrap();
    fs::write(home.join("v1/notes"), "precious").unwrap();
    for words in [
        &["size"][..],
        &["prune", "--older-than", "0"],
        &["verify", "--repair"],
    ] {
        cache(&door, &[words, &["--cache-dir", "home"]].concat())
            .failed(2, &["`home` is no cache of bareroot", "CACHEDIR.TAG"]);
    }
    assert_eq!(fs::read(&thesis).unwrap(), b"precious");
}

fn sizes_by_kind() {
    let door = door(&repository());
    warm(&door, "cache");
    let run = cache(&door, &["size", "--cache-dir", "cache", "--json"]).succeeded();
    let document = json(&run);
    let all = files(&door.path("cache"));
    let bytes: u64 = all.iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert_eq!(document["bytes"], bytes);
    assert_eq!(document["files"], all.len());
    let kinds = document["kinds"].as_array().unwrap();
    let words: Vec<&str> = kinds.iter().map(|kind| kind["kind"].as_str().unwrap()).collect();
    assert_eq!(words, ["indexes", "archives", "payloads", "parts"]);
    assert_eq!(
        (&kinds[1]["files"], &kinds[2]["files"], &kinds[3]["files"]),
        (&3.into(), &3.into(), &0.into())
    );
    let run = cache(&door, &["size", "--cache-dir", "cache"]).succeeded();
    assert!(run.stdout.contains("archives       3 files"), "{}", run.stdout);
}

fn what_is_old_goes() {
    let door = door(&repository());
    warm(&door, "cache");
    let all = files(&door.path("cache"));
    all.iter().for_each(|path| age(path, 40 * DAY));
    // This uses everything but what was parsed already.
    extract(&door, "root", "cache", &[]).succeeded();
    cache(&door, &["prune", "--cache-dir", "cache"])
        .succeeded()
        .says(&[]);
    assert_eq!(files(&door.path("cache")), all, "what is used is kept");
    all.iter().take(2).for_each(|path| age(path, 40 * DAY));
    let part = PathBuf::from(format!("{}.part", all[0].display()));
    fs::write(&part, "half").unwrap();
    let options = ["prune", "--older-than", "30d", "--cache-dir", "cache", "--json"];
    let dry = json(&cache(&door, &[&options[..], &["--dry-run"]].concat()).succeeded());
    assert_eq!(files(&door.path("cache")).len(), all.len() + 1);
    let done = json(&cache(&door, &options).succeeded());
    assert_eq!(done["removed"], dry["removed"]);
    assert_eq!((&done["files"], &done["dry_run"]), (&3.into(), &false.into()));
    assert_eq!(files(&door.path("cache")), all[2..]);
    cache(&door, &["prune", "--older-than", "soon"]).ended_with(2);
    cache(&door, &["prune", "--cache-dir", "cache", "--older-than", "0"]).succeeded();
    assert_eq!(files(&door.path("cache")), Vec::<PathBuf>::new());
    remove(&door, "root");
    extract(&door, "root", "cache", &[]).succeeded();
}

fn what_a_run_uses_stays() {
    let door = door(&repository());
    let place = door.path("cache");
    let large = repository()
        .files(None)
        .into_keys()
        .find(|path| path.contains("/three_"))
        .unwrap();
    door.mirror.fault(&large, 1, Fault::Stall(1_500_000));
    let words = [&EXTRACT[..], &["--cache-dir", place.to_str().unwrap()]].concat();
    let mut going = Going::start(into(&door, "root", &words));
    let is_part = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "part");
    going.until_so("half of the package, and the others", || {
        place.join("v1/archives").exists()
            && files(&place)
                .iter()
                .any(|path| is_part(path) && fs::metadata(path).is_ok_and(|part| part.len() >= 1_500_000))
            && files(&place)
                .iter()
                .filter(|path| path.to_str().unwrap().contains("/archives/") && !is_part(path))
                .count()
                == 2
    });
    let before = files(&place);
    let prune = ["prune", "--older-than", "0", "--cache-dir", "cache", "--json"];
    let document = json(&cache(&door, &prune).succeeded());
    assert_eq!(
        (&document["files"], &document["runs"], &document["in_use"]),
        (&0.into(), &1.into(), &before.len().into())
    );
    assert_eq!(files(&place), before);
    // When it is dead its part goes too.
    going.signal(Signal::KILL);
    going.end();
    let document = json(&cache(&door, &prune).succeeded());
    assert_eq!(
        (&document["files"], &document["runs"], &document["in_use"]),
        (&before.len().into(), &0.into(), &0.into())
    );
    assert_eq!(files(&place), Vec::<PathBuf>::new());
}

fn broken_files_by_name() {
    let door = door(&repository());
    warm(&door, "cache");
    let all = files(&door.path("cache"));
    fs::write(&all[0], "broken").unwrap();
    let shown = all[0].to_str().unwrap();
    let cache_dir = door.path("cache");
    let words = ["verify", "--cache-dir", cache_dir.to_str().unwrap()];
    let run = cache(&door, &words).failed(5, &["1 broken file", "hint: `bareroot cache verify --repair`"]);
    assert!(run.stdout.contains(shown), "{}", run.stdout);
    let run = cache(&door, &[&words[..], &["--json"]].concat()).ended_with(5);
    let document = json(&run);
    assert_eq!(document["files"], all.len());
    assert_eq!(
        (&document["broken"][0]["path"], &document["broken"][0]["removed"]),
        (&shown.into(), &false.into())
    );
    assert!(all[0].exists());
    cache(&door, &[&words[..], &["--repair"]].concat()).succeeded();
    assert!(!all[0].exists());
    cache(&door, &words).succeeded();
}

/// An index is used by its parsed form, and is still there when that is lost.
fn offline_after_pruning() {
    let door = door(&repository());
    warm(&door, "cache");
    files(&door.path("cache"))
        .iter()
        .for_each(|path| age(path, 40 * DAY));
    extract(&door, "online", "cache", &[]).succeeded();
    cache(&door, &["prune", "--cache-dir", "cache"]).succeeded();
    for path in files(&door.path("cache")) {
        if path.to_str().unwrap().contains("/parsed/") {
            fs::remove_file(path).unwrap();
        }
    }
    let connections = door.mirror.connections();
    extract(&door, "offline", "cache", &["--offline"]).succeeded();
    assert_eq!(door.mirror.connections(), connections);
    assert!(tree(&door, "online") == tree(&door, "offline"));
}
