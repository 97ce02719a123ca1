//! What a server can say in HTTP: where to look instead, how long a file is and which part of it comes, and how it is
//! encoded (apt's CVE-2019-3462 and its like).

use bareroot_testkit::cases;
use bareroot_testkit::harness::Case;
use bareroot_testkit::keys::Key;
use bareroot_testkit::mirror::{Fault, Mirror};
use bareroot_testkit::{Compression, base};

use crate::site::{IN_RELEASE, Site, deb, hello, packages_of, repository};

pub const CASES: &[Case] = cases![
    Nothing: a_redirection_to_a_file, a_redirection_to_other_schemes, a_redirection_to_another_host, a_redirection_to_itself,
        a_chain_of_redirections, headers_in_a_redirection, a_redirection_without_a_place, a_length_that_is_wrong,
        an_answer_in_part_that_nobody_asked_for, an_encoding_of_the_transfer, an_answer_that_is_none, an_index_in_pieces_without_an_end;
    Root: a_package_elsewhere, a_length_of_a_package_that_is_wrong, a_range_that_is_another, a_package_in_pieces_without_an_end,
        a_package_in_an_encoding;
];

fn site() -> Site {
    Site::new(&repository(&[hello("1.0")]))
}

/// `hello` with a file of so many bytes, so that a transfer can break within.
fn large() -> Site {
    let hello = base::package("hello", "1.0")
        .file("/usr/share/hello", "1.0")
        .file("/usr/share/large", vec![7; 100_000])
        .compression(Compression::None);
    Site::new(&repository(&[hello]))
}

/// The signed file redirects, and that is refused; nothing else is asked for.
#[track_caller]
fn refused(to: &str, words: &[&str]) {
    let site = site();
    site.mirror().always(IN_RELEASE, Fault::Redirect(to.into()));
    let run = site.refused(4, &[IN_RELEASE, "redirects to"]);
    run.says(words);
    assert_eq!(site.mirror().fetches().len(), 1);
}

/// A file of this host is none of a mirror's, not even one that would do.
fn a_redirection_to_a_file() {
    let files = crate::site::signed(&repository(&[hello("1.0")]));
    let here = site();
    let place = here.door().file("InRelease", &files[IN_RELEASE]);
    let place = place.display();
    for to in [
        format!("file://{place}"),
        format!("file:{place}"),
        format!("FILE://localhost{place}"),
        format!("copy:{place}"),
        "file:///etc/passwd".into(),
    ] {
        refused(&to, &["only http and https are followed"]);
    }
}

fn a_redirection_to_other_schemes() {
    for to in [
        "ftp://127.0.0.1/x",
        "gopher://127.0.0.1:70/x",
        "data:text/plain,x",
        "javascript:x",
        "cdrom:[disc]/x",
        "rsh://h/x",
        "mirror+file:/etc/passwd",
        "store:/x",
    ] {
        refused(to, &["only http and https are followed"]);
    }
}

/// Another host is followed, and believed no more than the first; it is told nothing that was for the first.
fn a_redirection_to_another_host() {
    let site = site();
    let forged = repository(&[hello("6.66")]).files(Some(&Key::new(66)));
    let other = Mirror::serve(forged).expect("a listening socket");
    let to = format!("{}/{IN_RELEASE}", other.url());
    site.mirror().always(IN_RELEASE, Fault::Redirect(to));
    site.refused(5, &["no key of the keyring has signed"]);
    let [asked] = &other.requests()[..] else {
        panic!("{:?}", other.requests())
    };
    let names: Vec<&str> = asked.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert!(
        names
            .iter()
            .all(|name| ["host", "accept", "user-agent"].contains(name)),
        "{names:?}"
    );
}

fn a_redirection_to_itself() {
    let site = site();
    site.mirror()
        .always(IN_RELEASE, Fault::Redirect(format!("/{IN_RELEASE}")));
    site.refused(4, &["there are too many redirections"]);
    assert_eq!(site.mirror().count(IN_RELEASE), 11);
}

fn a_chain_of_redirections() {
    let site = site();
    site.mirror().always(IN_RELEASE, Fault::Redirect("/0".into()));
    for number in 0..50 {
        let to = format!("/{}", number + 1);
        site.mirror().always(&number.to_string(), Fault::Redirect(to));
    }
    site.refused(4, &["there are too many redirections"]);
    assert_eq!(site.mirror().fetches().len(), 11);
}

/// Line ends in an address, encoded: apt once decoded them, and its own parts took what followed for lines of theirs.
fn headers_in_a_redirection() {
    for to in [
        "/x%0d%0aX-Evil:%20yes%0d%0a",
        "/x%0aX-Evil:%20yes",
        "/x?a=%0d%0aX-Evil:%20yes",
        "/x%0d%0a%0d%0a201%20URI%20Done%0aFilename:%20/etc/passwd",
        "/x%00y",
        "/%2e%2e/%2e%2e/etc/passwd",
    ] {
        let site = site();
        site.mirror().always(IN_RELEASE, Fault::Redirect(to.into()));
        site.mirror()
            .always("dists/tiny/Release", Fault::Redirect(to.into()));
        site.refused(4, &["does not exist"]);
        for request in site.mirror().requests() {
            let plain = |byte: u8| (0x21..0x7f).contains(&byte);
            assert!(request.target.bytes().all(plain), "{request:?}");
            assert_eq!(request.header("x-evil"), None);
        }
    }
}

/// A status that redirects, and does not say where.
fn a_redirection_without_a_place() {
    let site = site();
    for answer in [
        "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 301 Moved\r\nLocation:\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 307 X\r\nLocation: http://\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 308 X\r\nLocation: //[::x/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\n\r\n",
    ] {
        site.mirror().behave();
        site.mirror()
            .always(IN_RELEASE, Fault::Raw(answer.as_bytes().to_vec()));
        let run = site.bootstrap(&[]);
        assert_eq!(run.code, Some(4), "{answer}: {run:?}");
    }
}

fn a_length_that_is_wrong() {
    let site = site();
    // What is announced and does not come is missed; what comes beyond it is not read.
    let index = packages_of("tiny", "main", base::ARCH);
    for by in [-20, 20] {
        site.mirror().behave();
        site.mirror().always(&index, Fault::LieLength(by));
        site.refused(5, &["Packages.gz", "expected "]);
    }
    site.mirror().behave();
    site.mirror().always(IN_RELEASE, Fault::LieLength(-20));
    site.refused(5, &["tiny"]);
    for length in ["-1", "x", "99999999999999999999999999"] {
        site.mirror().behave();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nx");
        site.mirror().always(IN_RELEASE, Fault::Raw(answer.into_bytes()));
        site.refused(4, &[IN_RELEASE]);
    }
}

fn a_length_of_a_package_that_is_wrong() {
    let site = large();
    for by in [-20, 20, 1 << 40] {
        site.mirror().behave();
        site.mirror().always(&deb("hello", "1.0"), Fault::LieLength(by));
        site.refused(5, &["hello_1.0", "expected "]);
    }
    site.mirror().behave();
    site.bootstrap(&[]).succeeded();
}

/// Part of a file where all of it was asked for.
fn an_answer_in_part_that_nobody_asked_for() {
    let site = site();
    let answer =
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-3/4\r\nContent-Length: 4\r\n\r\nevil";
    site.mirror()
        .always(IN_RELEASE, Fault::Raw(answer.as_bytes().to_vec()));
    site.refused(4, &[IN_RELEASE, "206"]);
}

/// The rest of a broken transfer, from elsewhere in the file: whatever a server says of it, the whole is what counts.
fn a_range_that_is_another() {
    for lie in [
        "bytes 0-99/100",
        "bytes 10-100000/200000",
        "bytes 30000-10/40000",
        "bytes */200000",
        "bytes 18446744073709551615-18446744073709551615/1",
        "lines 30000-99999/100000",
        "",
    ] {
        let site = large();
        site.mirror()
            .fault(&deb("hello", "1.0"), 1, Fault::Truncate(30_000));
        site.mirror()
            .fault(&deb("hello", "1.0"), 1, Fault::LieRange(lie.into()));
        site.bootstrap(&[]).succeeded();
        assert_eq!(site.said(), "1.0", "{lie}");
        // What came as the wrong part was not taken: all of it was asked for once more.
        let asked = site.mirror().requests();
        let ranges: Vec<bool> = asked
            .iter()
            .filter(|request| request.path == deb("hello", "1.0"))
            .map(|request| request.header("range").is_some())
            .collect();
        assert_eq!(ranges, [false, true, false], "{lie}");
    }
    // The right range with other bytes.
    let site = large();
    site.mirror()
        .fault(&deb("hello", "1.0"), 1, Fault::Truncate(30_000));
    site.mirror()
        .always(&deb("hello", "1.0"), Fault::Replace(vec![0; 104_000]));
    site.refused(5, &["hello_1.0", "is not what its index promises"]);
}

/// A body in chunks that does not end as one does.
fn an_index_in_pieces_without_an_end() {
    let site = site();
    site.mirror().always(IN_RELEASE, Fault::Chunked(true));
    site.refused(4, &[IN_RELEASE]);
    for body in [
        "ffffffffffffffffff\r\nx\r\n0\r\n\r\n",
        "-1\r\nx\r\n0\r\n\r\n",
        "x\r\n",
        "4\r\nevilevil\r\n0\r\n\r\n",
    ] {
        site.mirror().behave();
        let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        site.mirror()
            .fault(IN_RELEASE, 4, Fault::Raw(answer.into_bytes()));
        site.mirror().always(IN_RELEASE, Fault::Status(404));
        site.mirror().always("dists/tiny/Release", Fault::Status(404));
        let run = site.bootstrap(&[]);
        assert!(matches!(run.code, Some(4 | 5)), "{body}: {run:?}");
    }
}

fn a_package_in_pieces_without_an_end() {
    let site = large();
    let path = deb("hello", "1.0");
    site.mirror().always(&path, Fault::Chunked(true));
    site.refused(4, &[&path, "broke off"]);
    // All of it had come, and the next run holds it against its digest.
    site.mirror().always(&path, Fault::Status(404));
    site.bootstrap(&[]).succeeded();
    assert_eq!(site.said(), "1.0");
}

/// What a server says of an encoding changes nothing: a file is its bytes.
fn an_encoding_of_the_transfer() {
    let index = packages_of("tiny", "main", base::ARCH);
    for encoding in ["gzip", "x-gzip", "deflate", "br", "identity", "gzip, gzip, gzip"] {
        let site = site();
        let header = Fault::Header("Content-Encoding".into(), encoding.into());
        site.mirror().always(&index, header.clone());
        site.mirror().always(IN_RELEASE, header.clone());
        site.resolve(&[]).succeeded();
        let asked = site.mirror().requests();
        assert!(
            asked
                .iter()
                .all(|request| request.header("accept-encoding").is_none()),
            "{asked:?}"
        );
    }
    // And what is encoded is not decoded.
    let site = site();
    let files = crate::site::signed(&repository(&[hello("1.0")]));
    site.mirror()
        .put(IN_RELEASE, Compression::Gzip.compress(&files[IN_RELEASE]));
    site.mirror().always(
        IN_RELEASE,
        Fault::Header("Content-Encoding".into(), "gzip".into()),
    );
    site.refused(5, &["carries no signature"]);
}

fn a_package_in_an_encoding() {
    let site = site();
    let path = deb("hello", "1.0");
    let files = crate::site::signed(&repository(&[hello("1.0")]));
    site.mirror()
        .put(path.as_str(), Compression::Gzip.compress(&files[&path]));
    let header = Fault::Header("Content-Encoding".into(), "gzip".into());
    site.mirror().always(&path, header.clone());
    site.refused(5, &[&path, "is not what its index promises"]);
    site.mirror().put(path.as_str(), files[&path].clone());
    site.bootstrap(&[]).succeeded();
}

/// A package on another host is the same package or none.
fn a_package_elsewhere() {
    let site = site();
    let path = deb("hello", "1.0");
    let other = Mirror::serve([("there", "dead".repeat(1000))]).expect("a listening socket");
    site.mirror()
        .always(&path, Fault::Redirect(format!("{}/there", other.url())));
    site.refused(5, &["is not what its index promises"]);
    let files = crate::site::signed(&repository(&[hello("1.0")]));
    other.put("there", files[&path].clone());
    site.bootstrap(&[]).succeeded();
    assert_eq!(site.said(), "1.0");
}

fn an_answer_that_is_none() {
    for answer in [
        &b"SSH-2.0-OpenSSH_9.9\r\n"[..],
        b"\x16\x03\x01\x00\xa5",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200\r\nA\x1b[2J: b\r\n\r\n",
        b"HTTP/1.1 99999 X\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"",
    ] {
        let site = site();
        site.mirror().always(IN_RELEASE, Fault::Raw(answer.to_vec()));
        site.refused(4, &[IN_RELEASE]);
    }
}
