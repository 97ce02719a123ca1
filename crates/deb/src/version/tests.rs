use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;

/// Each is earlier than the next. What equals another stands beside it.
const ORDER: [&[&str]; 24] = [
    &["0~~"],
    &["0~~a", "0~~a-0"],
    &["0~"],
    &["0", "0-0", "0-", "00", "0:0", "-0", "-", "0-00"],
    &["0.1~rc1"],
    &["0.1", "0.01", "0.1-0"],
    &["0.1-0.1"],
    &["0.1a"],
    &["0.1+b"],
    &["0.9+ds0-3"],
    &["0.9+ds-5"],
    &["1.0~beta1~svn1245"],
    &["1.0~beta1"],
    &["1.0.0~rc0-1+b3"],
    &["1.0.0~rc-6"],
    &["1.0.0"],
    &["1.2.3-1~deb11u1", "1.02.003-01~deb11u01"],
    &["1.2.3-1"],
    &["1.2.3-1+b1"],
    &["1.2.3-1.1"],
    &["9"],
    &["10", "010"],
    &["99999999999999999999999999999999999999"],
    &["1:0"],
];

#[test]
fn the_order() {
    for (i, group) in ORDER.iter().enumerate() {
        for (j, other) in ORDER.iter().enumerate() {
            for a in *group {
                for b in *other {
                    assert_eq!(compare(a, b), i.cmp(&j), "{a} and {b}");
                }
            }
        }
    }
    for (less, more) in [
        ("1:1", "2:0"),
        ("9:1", "10:1"),
        ("1-2-3", "1-2-4"),
        ("1-2", "1-2-0"),
        ("a", "a0a"),
        ("1.0a", "1.0+"),
        ("1.0Z", "1.0a"),
        ("1.0-+", "1.0+"),
        ("2.2.0~rc1-4", "2.2.0"),
        ("99999999999999999998:1", "99999999999999999999:0"),
        ("x:1", "y:0"),
    ] {
        assert_eq!(compare(less, more), Ordering::Less, "{less} and {more}");
        assert_eq!(compare(more, less), Ordering::Greater, "{less} and {more}");
    }
}

#[test]
fn what_is_a_version() {
    for good in [
        "0",
        "1.0",
        "1:1.0-1",
        "1.0-1-1",
        "1.0~rc1+b~",
        "0:1:2-3",
        "2147483647:1",
        "1a_b",
    ] {
        assert!(validate(good).is_ok(), "{good}");
    }
    for (bad, part) in [
        ("", "no upstream"),
        ("1:", "no upstream"),
        ("-1", "no upstream"),
        (":1", "epoch is empty"),
        ("a:1", "epoch is not a number"),
        ("+1:1", "epoch is not a number"),
        ("2147483648:1", "epoch is not a number"),
        ("1-", "revision is empty"),
        ("a1", "start with a digit"),
        ("1 2", "not allowed"),
        ("1é", "not allowed"),
        ("0:1-1:1", "revision has a character"),
        ("1-1\n", "revision has a character"),
    ] {
        let error = validate(bad).unwrap_err().to_string();
        assert!(error.contains(part), "{bad}: {error}");
    }
}

#[test]
fn without_an_epoch() {
    for (version, bare) in [
        ("1:2-3", "2-3"),
        ("2-3", "2-3"),
        ("a:2", "a:2"),
        (":2", ":2"),
        ("1:2:3", "2:3"),
    ] {
        assert_eq!(without_epoch(version), bare);
    }
}

proptest! {
    #[test]
    fn a_total_order(mut all in prop::collection::vec("[0-3a~+:.-]{0,6}|\\PC{0,4}", 3)) {
        for a in &all {
            prop_assert_eq!(compare(a, a), Ordering::Equal);
            for b in &all {
                prop_assert_eq!(compare(a, b), compare(b, a).reverse());
            }
        }
        // A sort that meets an order that is not total panics, or leaves what the next lines find.
        all.sort_by(|a, b| compare(a, b));
        prop_assert!(compare(&all[0], &all[1]).is_le() && compare(&all[1], &all[2]).is_le());
        prop_assert!(compare(&all[0], &all[2]).is_le());
    }

    #[test]
    fn anything_is_judged(text in "\\PC{0,12}") {
        let _ = validate(&text);
        without_epoch(&text);
    }
}

/// 2,000 pairs of random versions, alike enough that every rule decides some of them.
fn pairs() -> Vec<(String, String)> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        // xorshift64: the same pairs on every machine.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as usize % below
    };
    let pieces = [
        "0", "1", "2", "10", "09", "a", "b", "~", "~~", "+", ".", "-", "rc", "Z", "0", "-1",
    ];
    let mut version = || {
        let mut text = String::new();
        if random(4) == 0 {
            text += ["0:", "1:", "01:", "2:"][random(4)];
        }
        text += ["0", "1", "10"][random(3)];
        for _ in 0..random(5) {
            text += pieces[random(pieces.len())];
        }
        text.trim_end_matches('-').to_owned()
    };
    (0..2000).map(|_| (version(), version())).collect()
}

#[test]
fn as_dpkg_orders_them() {
    let script = "while read -r a b; do
        if dpkg --compare-versions \"$a\" lt \"$b\"; then echo lt
        elif dpkg --compare-versions \"$a\" eq \"$b\"; then echo eq
        else echo gt; fi
    done";
    let there = Command::new("dpkg")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !there.is_ok_and(|status| status.success()) {
        let _ = writeln!(std::io::stderr(), "skipped: as_dpkg_orders_them needs dpkg");
        return;
    }
    let pairs = pairs();
    let mut shell = Command::new("sh")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    let lines: String = pairs.iter().map(|(a, b)| format!("{a} {b}\n")).collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = shell.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), pairs.len());
    for (answer, (a, b)) in answers.lines().zip(&pairs) {
        let ours = match compare(a, b) {
            Ordering::Less => "lt",
            Ordering::Equal => "eq",
            Ordering::Greater => "gt",
        };
        assert_eq!(ours, answer, "{a} and {b}");
    }
}
