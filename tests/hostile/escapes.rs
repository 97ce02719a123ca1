use bareroot_testkit::cases;
use bareroot_testkit::deb::Item;
use bareroot_testkit::door::run;
use bareroot_testkit::harness::Case;

use crate::{Ground, evil};

pub const CASES: &[Case] = cases![
    Root: names_that_climb, absolute_names, a_link_and_a_path_through_it, a_link_of_another_package, hard_links_outward,
        devices, names_that_end_nothing, also_from_the_cache, a_file_named_on_the_command_line;
];

#[track_caller]
fn refused(items: Vec<Item>) {
    let deb = items
        .into_iter()
        .fold(evil().bare().item(Item::directory("./")), |deb, item| {
            deb.item(item)
        });
    Ground::with(&deb).refused();
}

fn names_that_climb() {
    for name in [
        "./../canary/bird",
        "../canary/bird",
        "./usr/../../canary/bird",
        "../../canary/bird",
        "./a/b/../../../canary/bird",
    ] {
        refused(vec![Item::file(name, "dead")]);
    }
    refused(vec![Item::directory("./../canary/nest/")]);
    refused(vec![Item::symlink("./../canary/bird", "dead")]);
}

fn absolute_names() {
    refused(vec![Item::file("/etc/bareroot-test-evil", "dead")]);
    assert!(!std::path::Path::new("/etc/bareroot-test-evil").exists());
    refused(vec![Item::file("//canary/bird", "dead")]);
}

fn a_link_and_a_path_through_it() {
    for text in ["../canary", "../../canary", "/", "../../../../../../../../tmp"] {
        refused(vec![
            Item::symlink("./way", text),
            Item::file("./way/bird", "dead"),
        ]);
    }
    refused(vec![
        Item::symlink("./way", "../canary"),
        Item::directory("./way/nest/"),
    ]);
    refused(vec![
        Item::symlink("./way", "../canary"),
        Item::directory("./way/"),
        Item::file("./way/bird", "dead"),
    ]);
    refused(vec![
        Item::symlink("./a", "b"),
        Item::symlink("./b", "../canary"),
        Item::file("./a/bird", "dead"),
    ]);
}

/// A link of one package, and a path of another through it: to dpkg that is the path inside the root, if any.
fn a_link_of_another_package() {
    use bareroot_testkit::base;
    use bareroot_testkit::door::SUITE;
    for text in ["../canary", "/../canary", "../../canary"] {
        let way = base::package("way", "1").symlink("/way", text);
        let evil = evil()
            .field("Depends", "way")
            .file("/way/bird", "dead")
            .file("/way/nest/egg", "dead");
        let repository = base::repository(SUITE)
            .package(SUITE, "main", &way)
            .package(SUITE, "main", &evil);
        Ground::new(&repository).bootstrap();
    }
}

fn hard_links_outward() {
    for target in [
        "../canary/bird",
        "./../canary/bird",
        "/etc/passwd",
        "../../../../../../etc/passwd",
        "./nowhere",
    ] {
        refused(vec![Item::hardlink("./mine", target)]);
    }
    refused(vec![
        Item::symlink("./way", "../canary"),
        Item::hardlink("./mine", "./way/bird"),
    ]);
    refused(vec![
        Item::symlink("./bird", "../canary/bird"),
        Item::hardlink("./mine", "./bird"),
        Item::file("./mine/egg", "dead"),
    ]);
}

fn devices() {
    refused(vec![Item::character("./mem", 1, 1)]);
    refused(vec![Item::block("./disk", 8, 0)]);
}

fn names_that_end_nothing() {
    refused(vec![Item::file("./", "dead")]);
    refused(vec![Item::file(".", "dead")]);
    refused(vec![Item::file("./a\nb", "dead")]);
    refused(vec![Item::file(&format!("./{}", "d/".repeat(2100)), "dead")]);
}

/// A payload that was used before comes decompressed from the cache.
fn also_from_the_cache() {
    let way = Item::symlink("./way", "../canary");
    let deb = evil().bare().item(way).item(Item::file("./way/bird", "dead"));
    let ground = Ground::with(&deb);
    for _ in 0..4 {
        ground.refused();
    }
}

fn a_file_named_on_the_command_line() {
    let deb = evil().bare().item(Item::file("./../canary/bird", "dead"));
    let ground = Ground::with(&evil());
    let path = ground.door.file("evil.deb", deb.build());
    let mut command = ground.door.bootstrap_command(&["--no-host-files", "--include"]);
    command.arg(path);
    let run = run(command).failed(5, &["evil"]);
    ground.assert_unharmed(&run);
}
