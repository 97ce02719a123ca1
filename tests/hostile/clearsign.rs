//! Clear-sign splitting: InRelease that is signed, and has more in it than what was signed (apt's CVE-2013-1051,
//! CVE-2014-0487, CVE-2016-1252 and their like).

use bareroot_testkit::cases;
use bareroot_testkit::door::signer;
use bareroot_testkit::harness::Case;
use bareroot_testkit::{Signer as _, base};

use crate::site::{IN_RELEASE, Site, hello, packages_of, repository, signed};

pub const CASES: &[Case] = cases![
    Nothing: a_text_before, a_text_after, a_text_between, a_second_message, a_message_in_a_message, another_header,
        a_hash_header_with_more, a_paragraph_before_the_text, a_control_character, a_carriage_return, a_dash, an_escaped_armor,
        a_line_of_megabytes, line_ends_of_other_alphabets, a_block_of_another_kind, white_space_at_the_ends, cut_off_anywhere;
];

/// What a mirror would like to have in the file.
const EVIL: &str = "SHA256:\n 0000000000000000000000000000000000000000000000000000000000000000 1 main/evil\n";

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----\n";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----\n";

fn message() -> String {
    let files = signed(&repository(&[hello("1.0")]));
    String::from_utf8(files[IN_RELEASE].clone()).expect("a clear-signed text")
}

fn over(message: impl Into<Vec<u8>>) -> Site {
    let mut files = signed(&repository(&[hello("1.0")]));
    files.insert(IN_RELEASE.into(), message.into());
    Site::over(files)
}

/// The file is refused, with these words, and nothing that it lists is asked for.
#[track_caller]
fn refused(message: impl Into<Vec<u8>>, words: &[&str]) {
    let site = over(message);
    site.refused(5, words);
    assert_eq!(site.mirror().count(&packages_of("tiny", "main", base::ARCH)), 0);
}

/// The message with one place of it replaced.
#[track_caller]
fn replaced(from: &str, to: &str) -> String {
    let message = message();
    assert!(message.contains(from), "{from:?} in {message}");
    message.replacen(from, to, 1)
}

fn a_text_before() {
    for text in [EVIL, "\n", "Origin: evil\n\n", "\u{feff}", " "] {
        refused(format!("{text}{}", message()), &["tiny"]);
    }
}

fn a_text_after() {
    for text in [EVIL, "Origin: evil\n", "\0", "- \n"] {
        refused(format!("{}{text}", message()), &["tiny"]);
    }
}

fn a_text_between() {
    // Between the text and its signature, and between two signatures.
    refused(
        replaced(SIGNATURE, &format!("{EVIL}{SIGNATURE}")),
        &["bad signature"],
    );
    let armor = message();
    let armor = &armor[armor.find(SIGNATURE).expect("a signature")..];
    refused(
        format!("{}{EVIL}{armor}", message()),
        &["text outside its signed part"],
    );
}

fn a_second_message() {
    refused(format!("{0}{0}", message()), &["tiny"]);
    let unsigned = format!("{BEGIN}Hash: SHA512\n\n{EVIL}");
    refused(format!("{}{unsigned}", message()), &["tiny"]);
    refused(
        format!("{unsigned}{}", message()),
        &["a dash that is not escaped"],
    );
}

fn a_message_in_a_message() {
    let evil = "Origin: evil\nSuite: tiny\nCodename: tiny\n";
    // The inner one is what a reader who looks for the first line of a message finds.
    let outer = format!("{evil}{}", message());
    let outer = String::from_utf8(signer().clear_sign(outer.as_bytes())).expect("a text");
    refused(outer.clone(), &["tiny"]);
    refused(outer.replace("\n- -----", "\n-----"), &["tiny"]);
}

fn another_header() {
    for header in [
        "Comment: x\n",
        "NotDashEscaped: You need GnuPG to verify this message\n",
        "Version: 1\n",
        "Origin: evil\n",
        "Hash SHA512\n",
        " Hash: SHA512\n",
    ] {
        refused(
            replaced(BEGIN, &format!("{BEGIN}{header}")),
            &["a header other than `Hash` at line 2"],
        );
    }
}

fn a_hash_header_with_more() {
    for more in [
        "\rOrigin: evil",
        "\u{b}Origin: evil",
        "; Origin=evil",
        "\0",
        "\u{2028}Origin: evil",
    ] {
        refused(
            replaced("Hash: SHA512", &format!("Hash: SHA512{more}")),
            &["a header other than `Hash`"],
        );
    }
    // An empty line later than where it was: the header's end is where the text begins.
    refused(
        replaced("Hash: SHA512\n\n", "Hash: SHA512\n"),
        &["a header other than `Hash`"],
    );
}

fn a_paragraph_before_the_text() {
    refused(
        replaced("Hash: SHA512\n\n", &format!("Hash: SHA512\n\n{EVIL}\n")),
        &["bad signature"],
    );
    refused(
        replaced("Hash: SHA512\n\n", "Hash: SHA512\n\n\n"),
        &["bad signature"],
    );
}

fn a_control_character() {
    refused(
        replaced("Label: Test", "Label: Test\0Suite: evil"),
        &["a control character"],
    );
    refused(replaced("Label: Test", "Label: Test\0"), &["a control character"]);
    refused(replaced("Label: Test", "Label: Test\u{1a}"), &["bad signature"]);
}

fn a_carriage_return() {
    refused(
        replaced("Label: Test", "Label: Test\rSuite: evil"),
        &["a control character"],
    );
    refused(
        replaced("Label: Test\n", "\rLabel: Test\n"),
        &["a control character"],
    );
}

fn a_dash() {
    refused(
        replaced("Label: Test", "-Label: Test"),
        &["a dash that is not escaped"],
    );
    refused(replaced("Label: Test", "- -Label: Test"), &["bad signature"]);
    // Escaped where it need not be, a line means the same and is covered.
    over(replaced("Label: Test", "- Label: Test"))
        .resolve(&[])
        .succeeded();
    // Escaped twice it is another line.
    refused(replaced("Label: Test", "- - Label: Test"), &["bad signature"]);
}

/// Whoever signs such a line has not ended the message by it.
fn an_escaped_armor() {
    let files = signed(&repository(&[hello("1.0")]));
    let release = String::from_utf8(files["dists/tiny/Release"].clone()).expect("a text");
    let text = format!("Origin: x\n{SIGNATURE}\n{release}");
    refused(signer().clear_sign(text.as_bytes()), &["tiny"]);
}

/// apt once lost track of what it had read, amid a line that did not fit into its buffer.
fn a_line_of_megabytes() {
    let long = "x".repeat(5 << 20);
    refused(
        replaced("Label: Test", &format!("Label: {long}")),
        &["bad signature"],
    );
    refused(
        format!("{long}\n{}", message()),
        &["text outside its signed part"],
    );
    // A header that nobody goes by, however long.
    let header = replaced("Hash: SHA512\n", &format!("Hash: {long}\n"));
    over(header).resolve(&[]).succeeded();
    refused(format!("{}{long}", message()), &["text outside its signed part"]);
}

/// What only some readers take for the end of a line is none.
fn line_ends_of_other_alphabets() {
    for end in ["\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}", "\u{1c}"] {
        refused(
            replaced("Label: Test\n", &format!("Label: Test{end}Suite: evil\n")),
            &["bad signature"],
        );
    }
}

fn a_block_of_another_kind() {
    for kind in ["MESSAGE", "PUBLIC KEY BLOCK", "PRIVATE KEY BLOCK"] {
        refused(
            message().replace("PGP SIGNATURE", &format!("PGP {kind}")),
            &["tiny"],
        );
        let block = bareroot_testkit::keys::armor(kind, b"evil");
        refused(format!("{}{block}", message()), &["tiny"]);
    }
}

/// White space at the ends of lines is not covered: it goes, and what is left is what was signed.
fn white_space_at_the_ends() {
    let text = message().replace("Label: Test\n", "Label: Test \t \n");
    over(text).resolve(&[]).succeeded();
    over(message().replace('\n', "\r\n")).resolve(&[]).succeeded();
    // A line of nothing else ends a paragraph, and is not the line that it was.
    refused(
        replaced("Label: Test\n", "Label: Test\n \t\n"),
        &["bad signature"],
    );
}

fn cut_off_anywhere() {
    let whole = message();
    let armor = whole.find(SIGNATURE).expect("a signature");
    for length in [
        10,
        BEGIN.len(),
        BEGIN.len() + 5,
        armor / 2,
        armor,
        armor + 40,
        whole.len() - 40,
    ] {
        refused(&whole[..length], &["tiny"]);
    }
}
