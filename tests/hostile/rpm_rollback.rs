//! Rollback of an RPM repository: an older repomd.xml than its address gave before, signed.

use bareroot_testkit::cases;
use bareroot_testkit::door::Run;
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::Mirror;
use bareroot_testkit::rpm_repo::metalink;

use crate::site::{Files, REPOMD, Site, rpm, rpm_files, rpms};

pub const CASES: &[Case] = cases![
    Nothing: an_older_repomd_whose_newer_cannot_be_used, a_waived_rollback, another_address_is_no_rollback,
        dates_where_revisions_are_names, a_metalink_knows_what_counts, a_forged_repomd_takes_no_place,
        an_older_repomd_for_a_partial_mirror;
    Root: an_older_repomd;
];

/// The repository with that version of hello, of that revision.
fn of(version: &str, revision: &str) -> Files {
    made(version, |text| {
        text.replace("<revision>1577836800<", &format!("<revision>{revision}<"))
    })
}

fn made(version: &str, change: impl Fn(String) -> String) -> Files {
    let repository = rpms(&[rpm(version)]);
    let text = repository.files("", None)["repodata/repomd.xml"].clone();
    let text = change(String::from_utf8(text).expect("a text"));
    rpm_files(&repository.file("repodata/repomd.xml", text))
}

fn newer() -> Files {
    of("2.0-1", "1700000000")
}

fn older() -> Files {
    of("1.0-1", "1600000000")
}

fn resolve(site: &Site, options: &[&str]) -> Run {
    site.run(site.rpm_command("resolve", &site.strict(), options))
}

fn set_back() -> Site {
    let site = Site::over(newer());
    chose(&resolve(&site, &[]), "2.0-1");
    site.publish(&newer(), &older());
    site
}

/// The run chose that version.
#[track_caller]
fn chose(run: &Run, version: &str) {
    let run = run.clone().succeeded();
    let other = if version == "2.0-1" { "1.0-1" } else { "2.0-1" };
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

fn an_older_repomd() {
    let site = Site::over(newer());
    site.rpm_bootstrap(&[]).succeeded();
    site.clear();
    site.publish(&newer(), &older());
    let run = site.rpm_bootstrap(&[]).succeeded();
    assert_eq!(site.said(), "2.0-1");
    let url = format!("{}/{REPOMD}", site.url());
    warned(
        &run,
        &[&url, "Sun, 13 Sep 2020", "Tue, 14 Nov 2023", "from the cache"],
    );
}

fn an_older_repomd_whose_newer_cannot_be_used() {
    let site = set_back();
    site.lose(&["indexes", "parsed"]);
    let url = format!("{}/{REPOMD}", site.url());
    site.rpm_refused(
        5,
        &[
            &url,
            "is of Sun, 13 Sep 2020",
            "was of Tue, 14 Nov 2023",
            "the newer one cannot be used",
            "hint: ",
            "--no-check-valid-until",
        ],
    );
}

fn a_waived_rollback() {
    let site = set_back();
    let run = resolve(&site, &["--no-check-valid-until"]);
    chose(&run, "1.0-1");
    warned(&run, &["before: it is taken all the same"]);
    let run = resolve(&site, &[]);
    chose(&run, "1.0-1");
    silent(&run);
}

fn another_address_is_no_rollback() {
    let site = Site::over(newer());
    chose(&resolve(&site, &[]), "2.0-1");
    let other = Mirror::serve(older()).expect("a listening socket");
    let text = site.strict().replace(&site.url(), &other.url());
    let run = site.run(site.rpm_command("resolve", &text, &[]));
    chose(&run, "1.0-1");
    silent(&run);
}

/// A revision need not be a number: then the newest of the files counts.
fn dates_where_revisions_are_names() {
    let at = |version: &str, name: &str, seconds: &str| {
        made(version, |text| {
            text.replace("<revision>1577836800<", &format!("<revision>{name}<"))
                .replace("<timestamp>1577836800<", &format!("<timestamp>{seconds}<"))
        })
    };
    let (new, old) = (at("2.0-1", "b", "1700000000"), at("1.0-1", "z", "1600000000"));
    let site = Site::over(new.clone());
    chose(&resolve(&site, &[]), "2.0-1");
    site.publish(&new, &old);
    let run = resolve(&site, &[]);
    chose(&run, "2.0-1");
    warned(&run, &["Sun, 13 Sep 2020", "Tue, 14 Nov 2023"]);
}

/// Where a metalink says which states count, one that does is no rollback.
fn a_metalink_knows_what_counts() {
    let site = set_back();
    let text = metalink(
        &[format!("{}/repo", site.url())],
        &[&newer()[REPOMD], &older()[REPOMD]],
    );
    site.mirror().put("metalink", text);
    let text = format!("metalink={}/metalink\ngpgcheck=1\nrepo_gpgcheck=1", site.url());
    let run = site.run(site.rpm_command("resolve", &text, &[]));
    chose(&run, "1.0-1");
}

fn a_forged_repomd_takes_no_place() {
    let site = Site::over(newer());
    chose(&resolve(&site, &[]), "2.0-1");
    let forged = rpms(&[rpm("6.66-1")]).files("repo/", Some(&bareroot_testkit::keys::Key::new(66)));
    site.publish(&newer(), &forged);
    site.rpm_refused(5, &["no key of the keyring has signed `repomd.xml of tiny`"]);
    chose(&resolve(&site, &["--offline"]), "2.0-1");
}

fn an_older_repomd_for_a_partial_mirror() {
    let site = Site::over(newer());
    let mirror = || {
        let repo = site
            .door()
            .file("tiny.repo", format!("[tiny]\nname=Tiny\n{}\n", site.strict()));
        let mut command = site.door().command(["mirror", "--repo"]);
        command.arg(repo).arg(site.door().path("partial"));
        command.args(["--variant", "extract", "--include", "hello"]);
        command.arg("--keyring").arg(site.door().keyring());
        command.arg("--cache-dir").arg(site.door().path("cache"));
        site.run(command)
    };
    mirror().succeeded();
    site.publish(&newer(), &older());
    mirror().failed(
        5,
        &["is of Sun, 13 Sep 2020", "was of Tue, 14 Nov 2023", "hint: "],
    );
}
