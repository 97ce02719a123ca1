//! Lists of mirrors and metalinks, which say where a repository is and, the one of them, what it must be.

use bareroot_testkit::cases;
use bareroot_testkit::door::Run;
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::{Fault, Mirror};
use bareroot_testkit::rpm_repo::metalink;

use crate::site::{Files, REPOMD, Site, rpm, rpm_files, rpms};

pub const CASES: &[Case] = cases![
    Nothing: a_list_that_names_files, a_metalink_that_names_files, a_list_that_redirects_to_a_file, a_metalink_of_another_repomd,
        a_metalink_without_digests, a_metalink_that_is_a_bomb, a_list_that_is_none, a_list_without_end_of_mirrors;
];

fn files() -> Files {
    rpm_files(&rpms(&[rpm("1.0-1")]))
}

/// A repository that is a whole one, as files of this host: what is in it would do.
fn local(site: &Site) -> String {
    for (path, bytes) in files() {
        let path = site.door().path("local").join(path);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(path, bytes).expect("a file");
    }
    format!("{}/repo", site.door().path("local").display())
}

/// The repository by a list at this path of the mirror.
fn by(site: &Site, kind: &str, text: impl Into<Vec<u8>>) -> Run {
    site.mirror().put("list", text);
    let text = format!("{kind}={}/list\ngpgcheck=1\nrepo_gpgcheck=1", site.url());
    site.run(site.rpm_command("bootstrap", &text, &[]))
}

/// Whoever answers for a list cannot have files of this host read.
fn a_list_that_names_files() {
    let site = Site::over(Files::new());
    let place = local(&site);
    for scheme in ["file://", "copy://", "FILE://", "file://localhost"] {
        by(&site, "mirrorlist", format!("{scheme}{place}\n")).failed(4, &["`tiny` has no mirrors"]);
    }
}

fn a_metalink_that_names_files() {
    let site = Site::over(Files::new());
    let place = local(&site);
    let repomd = files()[REPOMD].clone();
    for scheme in ["file://", "copy://", "rsync://", "httpfile://", "ftp://"] {
        let text = metalink(&[format!("{scheme}{place}")], &[&repomd]);
        by(&site, "metalink", text).failed(4, &["`tiny` has no mirrors"]);
    }
}

fn a_list_that_redirects_to_a_file() {
    let site = Site::over(Files::new());
    let place = site.door().file("list", format!("{}/repo\n", site.url()));
    for kind in ["mirrorlist", "metalink"] {
        site.mirror().behave();
        let to = format!("file://{}", place.display());
        site.mirror().always("list", Fault::Redirect(to));
        by(&site, kind, "").failed(4, &["only http and https are followed"]);
    }
}

/// The metalink's digest is what repomd.xml must be, signed or not.
fn a_metalink_of_another_repomd() {
    let site = Site::over(files());
    let other = rpm_files(&rpms(&[rpm("6.66-1")]));
    let text = metalink(&[format!("{}/repo", site.url())], &[&other[REPOMD]]);
    by(&site, "metalink", text).failed(5, &["none of those that the metalink knows"]);
    // Of several mirrors none is taken for want of a better one.
    let second = Mirror::serve(files()).expect("a listening socket");
    let urls = [format!("{}/repo", site.url()), format!("{}/repo", second.url())];
    by(&site, "metalink", metalink(&urls, &[&other[REPOMD]]))
        .failed(5, &["none of those that the metalink knows"]);
    assert_eq!(second.count(REPOMD), 1);
}

fn a_metalink_without_digests() {
    let site = Site::over(files());
    let whole = metalink(&[format!("{}/repo", site.url())], &[&files()[REPOMD]]);
    for text in [
        whole.replace("sha256", "md5").replace("sha512", "sha1"),
        whole.replace("<hash", "<hush").replace("</hash", "</hush"),
        whole.replace("type=\"sha", "type=\"sea"),
    ] {
        assert_ne!(text, whole);
        by(&site, "metalink", text).failed(5, &["none of those that the metalink knows"]);
    }
}

fn a_metalink_that_is_a_bomb() {
    let site = Site::over(files());
    let laughs = "<!DOCTYPE metalink [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><metalink><files><file \
                  name=\"repomd.xml\"><resources><url>&b;</url></resources></file></files></metalink>"
        .to_owned();
    let deep = format!("<metalink>{}", "<x>".repeat(100_000));
    let long = format!("<metalink><files><file name=\"{}\">", "x".repeat(5 << 20));
    for text in [
        laughs,
        deep,
        long,
        "<metalink".into(),
        "<metalink></metalink>".into(),
    ] {
        by(&site, "metalink", text).failed(5, &["/list"]);
    }
}

fn a_list_that_is_none() {
    let site = Site::over(files());
    for text in ["", "<html>moved</html>", "\0\0\0", "# nothing\n", "nowhere\n"] {
        by(&site, "mirrorlist", text).failed(4, &["`tiny` has no mirrors"]);
    }
}

/// Thousands of mirrors that are not there: one of them is asked after the other, and the run ends.
fn a_list_without_end_of_mirrors() {
    let site = Site::over(files());
    let mut text: String = (0..2000)
        .map(|number| format!("http://127.0.0.1:1/{number}\n"))
        .collect();
    let begin = std::time::Instant::now();
    by(&site, "mirrorlist", text.clone()).failed(4, &["127.0.0.1:1"]);
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
    // One that is there is found among them.
    text += &format!("{}/repo\n", site.url());
    site.mirror().put("list", text);
    let options = format!("mirrorlist={}/list\ngpgcheck=1\nrepo_gpgcheck=1", site.url());
    site.run(site.rpm_command("resolve", &options, &[])).succeeded();
}
