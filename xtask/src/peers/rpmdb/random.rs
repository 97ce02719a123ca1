//! Random sets of headers, through every writer and the real tools that judge what it wrote.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use bareroot_testkit::headers::Builder;
use bareroot_testkit::seed::Random;

use super::{Bench, KINDS, headers};
use crate::report::Report;
use crate::run::{must, run as ran};
use crate::workshop::Place;

/// How many headers the sets have: none, one, what a page of slots and a bucket hold and one more, and as many as a large
/// workstation has.
const SETS: [u32; 9] = [0, 1, 2, 63, 64, 254, 255, 1000, 5000];

/// Bytes of the largest text of a header.
const LARGEST: u64 = 4 << 20;

/// Bytes that a set's large texts may have together.
const MOST: u64 = 48 << 20;

impl Bench {
    /// Every set in every kind: the real verify tools accept it, and rpm lists what went in.
    pub(super) fn random_sets(&self, place: &Place, report: &mut Report) -> Result<()> {
        for (seed, count) in (1..).zip(SETS) {
            let set = set(&mut Random::new(seed), count);
            let list = place.fresh("random");
            fs::write(&list, &set)?;
            for (kind, reader) in KINDS {
                let database = self.debian.join("databases/random");
                let mut import = self.ours(&["rpmdb", "import"]);
                must(import.arg(&list).arg(&database).args(["--to", kind]))?;
                let evidence = self.judged(&database, (kind, reader), &set, count)?;
                fs::remove_dir_all(&database)?;
                let megabytes = set.len() >> 20;
                report.check(
                    &format!("seed {seed}: {count} random headers, {megabytes} MiB, as {kind}"),
                    &evidence,
                );
            }
            fs::remove_file(&list)?;
        }
        Ok(())
    }

    /// What is wrong with a database of these headers.
    fn judged(
        &self,
        database: &Path,
        (kind, reader): (&str, &str),
        set: &[u8],
        count: u32,
    ) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        let own = ran(self.ours(&["rpmdb", "verify"]).arg(database))?;
        if !own.stdout.contains(&format!("{count} headers")) || !own.stdout.contains("sound") {
            wrong.extend(own.said());
        }
        if self.list_of(database)? != set {
            wrong.push("export: other headers".to_owned());
        }
        match kind {
            "bdb" => {
                for entry in fs::read_dir(database)? {
                    let verified = ran(Command::new("db5.3_verify").arg("-q").arg(entry?.path()))?;
                    wrong.extend(verified.said());
                }
            }
            _ => {
                let verified = self.rpm(("random", reader), "rpmdb", &["--verifydb"]).output()?;
                if !verified.status.success() {
                    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
                    wrong.push(format!("rpmdb --verifydb: {said}"));
                }
            }
        }
        let theirs = self.rpm(("random", reader), "rpmdb", &["--exportdb"]).output()?;
        // Of a Berkeley DB rpm lists headers as its hash has them.
        if headers(&theirs.stdout)? != headers(set)? {
            wrong.push(format!(
                "rpmdb --exportdb: {} bytes, not {}",
                theirs.stdout.len(),
                set.len()
            ));
        }
        Ok(wrong)
    }
}

/// Headers as a list of rpm's.
fn set(random: &mut Random, count: u32) -> Vec<u8> {
    let mut list = Vec::new();
    let mut left = MOST;
    for number in 0..count {
        let mut builder = Builder::new(&format!("p{number}"));
        // Without the time of its building rpm takes a header for damaged.
        builder.word(1006, 1_700_000_000);
        builder.text(1022, "noarch");
        builder.text(1044, "p-1-1.src.rpm");
        let size = match random.below(100) {
            0 => random.below(LARGEST + 1).min(left),
            1..10 => random.below(20_000).min(left),
            _ => random.below(900),
        };
        left -= size.min(left);
        // As long as nothing in it ends a text.
        builder.text(1005, &"x".repeat(size as usize));
        for _ in 0..random.below(6) {
            let name = format!("c{}", random.below(u64::from(count) * 3));
            builder.dependency([1047, 1112, 1113], 8, "1-1", &name);
            let name = format!("c{}", random.below(u64::from(count) * 3));
            builder.dependency([1049, 1048, 1050], 0, "", &name);
        }
        for file in 0..random.below(12) {
            let directory = format!("/usr/share/{}/", random.below(40));
            builder.file(0o100_644, 0, &directory, &format!("f{number}-{file}"), &[]);
        }
        list.extend(builder.bytes());
    }
    list
}
