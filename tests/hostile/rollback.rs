//! Rollback: a mirror gives an older Release file than it gave before, signed and not expired. The cache has the newest.

use std::time::{SystemTime, UNIX_EPOCH};

use bareroot_testkit::cases;
use bareroot_testkit::door::Run;
use bareroot_testkit::harness::Case;
use bareroot_testkit::keys::Key;
use bareroot_testkit::mirror::Mirror;

use crate::site::{Files, IN_RELEASE, Site, hello, repository, signed};

pub const CASES: &[Case] = cases![
    Nothing: an_older_release_whose_newer_cannot_be_used, an_older_release_by_its_detached_signature, a_waived_rollback,
        another_address_is_no_rollback, without_a_cache_there_is_no_guard, a_forged_release_takes_no_place,
        offline_stays_with_the_newest, an_older_release_for_a_partial_mirror, a_kept_release_by_a_key_of_old,
        an_older_release_without_a_date;
    Root: an_older_release;
];

const DAY: i64 = 86_400;

/// A repository with that version of hello, as it was so many days ago.
fn dated(version: &str, days: i64) -> Files {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs() as i64);
    let mut repository = repository(&[hello(version)]);
    repository.suites_mut()[0].date = Some(now - days * DAY);
    signed(&repository)
}

fn newer() -> Files {
    dated("2.0", 1)
}

fn older() -> Files {
    dated("1.0", 8)
}

/// A mirror that was read when it was new, and is old.
fn set_back() -> Site {
    let site = Site::over(newer());
    chose(&site.resolve(&[]), "2.0");
    site.publish(&newer(), &older());
    site
}

/// The run chose that version.
#[track_caller]
fn chose(run: &Run, version: &str) {
    let run = run.clone().succeeded();
    let other = if version == "2.0" { "1.0" } else { "2.0" };
    assert!(
        run.stdout.contains(version) && !run.stdout.contains(other),
        "{}{}",
        run.stdout,
        run.stderr
    );
}

#[track_caller]
fn warned(run: &Run, words: &[&str]) {
    let warning = |line: &str| line.starts_with("warning: ") && words.iter().all(|word| line.contains(word));
    assert!(run.stderr.lines().any(warning), "{}", run.stderr);
}

#[track_caller]
fn silent(run: &Run) {
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
}

/// The newer one is used in its place, with everything that the cache has of it.
fn an_older_release() {
    let site = Site::over(newer());
    site.bootstrap(&[]).succeeded();
    site.clear();
    site.publish(&newer(), &older());
    let run = site.bootstrap(&[]).succeeded();
    assert_eq!(site.said(), "2.0");
    let url = format!("{}/{IN_RELEASE}", site.url());
    warned(
        &run,
        &[&url, " is of ", ", and was of ", " before", "from the cache"],
    );
    // As often as it is tried.
    site.clear();
    site.bootstrap(&[]).succeeded();
    assert_eq!(site.said(), "2.0");
    // And when the mirror has come forward again, it says nothing.
    site.publish(&older(), &newer());
    let run = site.resolve(&[]);
    chose(&run, "2.0");
    silent(&run);
}

fn an_older_release_whose_newer_cannot_be_used() {
    let site = set_back();
    site.lose(&["indexes", "parsed"]);
    let url = format!("{}/{IN_RELEASE}", site.url());
    let run = site.bootstrap(&[]).failed(
        5,
        &[
            &url,
            " is of ",
            ", and was of ",
            "the newer one cannot be used",
            "hint: ",
            "--no-check-valid-until",
        ],
    );
    // Both dates are there.
    let error = run
        .stderr
        .lines()
        .find(|line| line.starts_with("error: "))
        .expect("one");
    assert_eq!(error.matches(" UTC").count(), 2, "{error}");
    // What was refused has not taken the newer one's place.
    site.bootstrap(&[]).failed(5, &["the newer one cannot be used"]);
    site.publish(&older(), &newer());
    let run = site.resolve(&[]);
    chose(&run, "2.0");
    silent(&run);
}

/// That there is no InRelease does not help: what the address gave before is known all the same.
fn an_older_release_by_its_detached_signature() {
    let site = set_back();
    site.mirror().remove(IN_RELEASE);
    let run = site.resolve(&[]);
    chose(&run, "2.0");
    warned(&run, &["dists/tiny/Release` is of "]);
    // Nor the other way round.
    let mut detached = newer();
    detached.remove(IN_RELEASE);
    let site = Site::over(detached.clone());
    chose(&site.resolve(&[]), "2.0");
    site.publish(&detached, &older());
    let run = site.resolve(&[]);
    chose(&run, "2.0");
    warned(&run, &["dists/tiny/InRelease` is of "]);
}

fn a_waived_rollback() {
    let site = set_back();
    let run = site.resolve(&["--no-check-valid-until"]);
    chose(&run, "1.0");
    warned(&run, &["is of ", "before: it is taken all the same"]);
    // From here on this is what the address gave.
    let run = site.resolve(&[]);
    chose(&run, "1.0");
    silent(&run);
}

/// Mirrors of one suite lag behind each other, and a snapshot has an address of its own.
fn another_address_is_no_rollback() {
    let site = Site::over(newer());
    chose(&site.resolve(&[]), "2.0");
    let other = Mirror::serve(older()).expect("a listening socket");
    let mut command = site.door().command(["resolve", "debian:tiny"]);
    command.args([
        "--mirror",
        &other.url(),
        "--variant",
        "extract",
        "--include",
        "hello",
    ]);
    command.arg("--keyring").arg(site.door().keyring());
    command.arg("--cache-dir").arg(site.door().path("cache"));
    let run = site.run(command);
    chose(&run, "1.0");
    silent(&run);
    // As fallbacks of each other, the one that answers is the one that counts.
    site.mirror().remove(IN_RELEASE);
    site.mirror().remove("dists/tiny/Release");
    let run = site.resolve(&["--mirror", &other.url()]);
    chose(&run, "1.0");
    silent(&run);
}

fn without_a_cache_there_is_no_guard() {
    let site = Site::over(newer());
    chose(&site.resolve(&["--no-cache"]), "2.0");
    site.publish(&newer(), &older());
    chose(&site.resolve(&["--no-cache"]), "1.0");
}

/// What is not signed takes no place in the cache, and what is there serves on without the mirror.
fn a_forged_release_takes_no_place() {
    let site = Site::over(newer());
    chose(&site.resolve(&[]), "2.0");
    let forged = repository(&[hello("6.66")]).files(Some(&Key::new(66)));
    site.publish(&newer(), &forged);
    site.refused(5, &["no key of the keyring has signed"]);
    chose(&site.resolve(&["--offline"]), "2.0");
    let run = site
        .door()
        .command(["cache", "verify", "--cache-dir"])
        .arg(site.door().path("cache"))
        .output()
        .expect("it runs");
    assert!(run.status.success(), "{run:?}");
}

fn offline_stays_with_the_newest() {
    let site = set_back();
    chose(&site.resolve(&[]), "2.0");
    let before = site.mirror().requests().len();
    let run = site.resolve(&["--offline"]);
    chose(&run, "2.0");
    silent(&run);
    assert_eq!(site.mirror().requests().len(), before);
}

/// A partial mirror is not set back either.
fn an_older_release_for_a_partial_mirror() {
    let site = Site::over(newer());
    let mirror = || {
        let mut command = site.door().command(["mirror", "debian:tiny"]);
        command.arg(site.door().path("partial"));
        command.args([
            "--mirror",
            &site.url(),
            "--variant",
            "extract",
            "--include",
            "hello",
        ]);
        command.arg("--keyring").arg(site.door().keyring());
        command.arg("--cache-dir").arg(site.door().path("cache"));
        site.run(command)
    };
    mirror().succeeded();
    let place = site.door().path("partial").join(IN_RELEASE);
    let before = std::fs::read(&place).expect("it is mirrored");
    site.publish(&newer(), &older());
    mirror().failed(
        5,
        &["is of ", ", and was of ", "hint: ", "--no-check-valid-until"],
    );
    assert!(std::fs::read(&place).expect("it is there") == before);
}

/// What the cache has counts only as far as it is signed as this run demands.
fn a_kept_release_by_a_key_of_old() {
    let old = Key::new(8);
    let mut repository = repository(&[hello("2.0")]);
    repository.suites_mut()[0].date = Some(1_700_000_000);
    let before = repository.files(Some(&old));
    let site = Site::over(before.clone());
    let keyring = site.door().file("old.pgp", old.certificate());
    let resolve = |keyring: &std::path::Path| {
        let mut command = site.door().command(["resolve", "debian:tiny"]);
        command.args([
            "--mirror",
            &site.url(),
            "--variant",
            "extract",
            "--include",
            "hello",
        ]);
        command.arg("--keyring").arg(keyring);
        command.arg("--cache-dir").arg(site.door().path("cache"));
        site.run(command)
    };
    chose(&resolve(&keyring), "2.0");
    let mut repository = crate::site::repository(&[hello("1.0")]);
    repository.suites_mut()[0].date = Some(1_600_000_000);
    site.publish(&before, &signed(&repository));
    let run = resolve(&site.door().keyring());
    chose(&run, "1.0");
    silent(&run);
}

/// Where dates are to be compared, none is older than any.
fn an_older_release_without_a_date() {
    let site = Site::over(newer());
    chose(&site.resolve(&[]), "2.0");
    let mut repository = repository(&[hello("1.0")]);
    repository.suites_mut()[0].date = None;
    site.publish(&newer(), &signed(&repository));
    let run = site.resolve(&[]);
    chose(&run, "2.0");
    warned(&run, &["is of no date, and was of "]);
}
