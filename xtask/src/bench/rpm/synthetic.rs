//! A repository of Fedora's size, made up: metadata alone, of packages that nobody has built.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sha2::{Digest as _, Sha256};

use crate::run::must;

/// As many packages as Fedora has.
pub const PACKAGES: u32 = 70_000;

/// The packages of the group `core`.
const CORE: u32 = 120;

/// Writes the repository, unless the directory has it already: repomd.xml, primary, filelists, other and comps.
///
/// # Errors
/// When the disk refuses, or gzip cannot be run.
pub fn make(home: &Path) -> Result<()> {
    if home.join("repodata/repomd.xml").exists() {
        return Ok(());
    }
    let repodata = home.join("repodata");
    fs::create_dir_all(&repodata)?;
    let mut repomd = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\">\n\
         <revision>1700000000</revision>\n",
    );
    for (kind, write) in [
        ("primary", primary as fn(&mut BufWriter<File>) -> Result<()>),
        ("filelists", filelists),
        ("other", other),
    ] {
        let plain = repodata.join(format!("{kind}.xml"));
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&plain)?);
        write(&mut file)?;
        file.flush()?;
        let open = describe(&plain)?;
        must(Command::new("gzip").args(["-6", "-n", "-f"]).arg(&plain))?;
        let packed = describe(&repodata.join(format!("{kind}.xml.gz")))?;
        data(&mut repomd, kind, &format!("{kind}.xml.gz"), &packed, Some(&open));
    }
    let groups = repodata.join("comps.xml");
    fs::write(&groups, comps())?;
    data(&mut repomd, "group", "comps.xml", &describe(&groups)?, None);
    repomd.push_str("</repomd>\n");
    fs::write(repodata.join("repomd.xml"), repomd).context("repomd.xml")
}

/// A file's SHA-256 in hexadecimal, and its size.
fn describe(path: &Path) -> Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        size += count as u64;
    }
    ensure!(size > 0, "{} is empty", path.display());
    let digest = hasher.finalize();
    Ok((digest.iter().map(|byte| format!("{byte:02x}")).collect(), size))
}

fn data(repomd: &mut String, kind: &str, name: &str, packed: &(String, u64), open: Option<&(String, u64)>) {
    let (digest, size) = packed;
    let _ = write!(
        repomd,
        "<data type=\"{kind}\">\n <checksum type=\"sha256\">{digest}</checksum>\n \
         <location href=\"repodata/{name}\"/>\n <timestamp>1700000000</timestamp>\n <size>{size}</size>\n"
    );
    if let Some((digest, size)) = open {
        let _ = write!(
            repomd,
            " <open-checksum type=\"sha256\">{digest}</open-checksum>\n <open-size>{size}</open-size>\n"
        );
    }
    repomd.push_str("</data>\n");
}

/// A number that follows from a package's: the same in every run.
fn mixed(number: u32, salt: u32) -> u32 {
    let mut x = number.wrapping_mul(0x9e37_79b9) ^ salt.wrapping_mul(0x85eb_ca6b) ^ 0x2545_f491;
    x ^= x >> 15;
    x = x.wrapping_mul(0x2c1b_3c6d);
    x ^= x >> 12;
    x = x.wrapping_mul(0x297a_2d39);
    x ^ (x >> 15)
}

fn name(number: u32) -> String {
    const WORDS: [&str; 8] = [
        "lib", "python3-", "perl-", "rust-", "golang-", "texlive-", "gnome-", "",
    ];
    let word = WORDS[(mixed(number, 1) % 8) as usize];
    format!("{word}synthetic{number}")
}

/// The packages that a package requires: all of smaller numbers, so that everything can be installed.
fn requires(number: u32) -> Vec<u32> {
    let count = 3 + mixed(number, 2) % 9;
    let mut all: Vec<u32> = (0..count)
        .map(|index| {
            // Most dependencies are on few libraries, as in a real distribution.
            let reach = if index % 3 == 0 { number } else { number.min(400) };
            mixed(number, 100 + index) % reach.max(1)
        })
        .filter(|other| *other < number)
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn pkgid(number: u32) -> String {
    (0..8)
        .map(|salt| format!("{:08x}", mixed(number, 1000 + salt)))
        .collect()
}

fn primary(out: &mut BufWriter<File>) -> Result<()> {
    write!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata xmlns=\"http://linux.duke.edu/metadata/common\" \
         xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"{PACKAGES}\">\n"
    )?;
    for number in 0..PACKAGES {
        let (name, id) = (name(number), pkgid(number));
        let arch = if mixed(number, 3).is_multiple_of(3) {
            "noarch"
        } else {
            "x86_64"
        };
        let (major, minor) = (mixed(number, 4) % 30, mixed(number, 5) % 100);
        let size = 10_000 + mixed(number, 6) % 5_000_000;
        let file = format!("{name}-{major}.{minor}-1.fc43.{arch}.rpm");
        write!(
            out,
            "<package type=\"rpm\">\n  <name>{name}</name>\n  <arch>{arch}</arch>\n  \
             <version epoch=\"0\" ver=\"{major}.{minor}\" rel=\"1.fc43\"/>\n  \
             <checksum type=\"sha256\" pkgid=\"YES\">{id}</checksum>\n  \
             <summary>Package number {number} of a repository that is made up</summary>\n  \
             <description>{name} stands for a package of an ordinary distribution. What it would do is said here in\n\
             about as many words as packages use to say it: in three or four sentences, so that a reader of the whole\n\
             index meets as much text between the facts that matter as it would in a real one. This is the last of\n\
             these sentences, and it says nothing more.</description>\n  <packager>nobody</packager>\n  \
             <url>https://synthetic.example/{name}/</url>\n  <time file=\"1700000000\" build=\"1690000000\"/>\n  \
             <size package=\"{size}\" installed=\"{}\" archive=\"{}\"/>\n  \
             <location href=\"Packages/{}/{file}\"/>\n  <format>\n    <rpm:license>MIT</rpm:license>\n    \
             <rpm:vendor>nobody</rpm:vendor>\n    <rpm:group>Unspecified</rpm:group>\n    \
             <rpm:buildhost>builder.example</rpm:buildhost>\n    \
             <rpm:sourcerpm>{name}-{major}.{minor}-1.fc43.src.rpm</rpm:sourcerpm>\n    \
             <rpm:header-range start=\"6200\" end=\"{}\"/>\n    <rpm:provides>\n",
            u64::from(size) * 3,
            u64::from(size) * 3 + 2000,
            name.chars().next().unwrap_or('x'),
            20_000 + mixed(number, 7) % 90_000,
        )?;
        let evr = format!("flags=\"EQ\" epoch=\"0\" ver=\"{major}.{minor}\" rel=\"1.fc43\"");
        writeln!(out, "      <rpm:entry name=\"{name}\" {evr}/>")?;
        if arch == "x86_64" {
            writeln!(out, "      <rpm:entry name=\"{name}(x86-64)\" {evr}/>")?;
        }
        for symbol in 0..mixed(number, 8) % 4 {
            writeln!(out, "      <rpm:entry name=\"lib{name}.so.{symbol}()(64bit)\"/>")?;
        }
        writeln!(out, "      <rpm:entry name=\"lib{name}.so()(64bit)\"/>")?;
        out.write_all(b"    </rpm:provides>\n    <rpm:requires>\n")?;
        for (index, other) in requires(number).into_iter().enumerate() {
            let other = self::name(other);
            match index % 4 {
                0 => writeln!(out, "      <rpm:entry name=\"{other}\"/>")?,
                1 => writeln!(
                    out,
                    "      <rpm:entry name=\"{other}\" flags=\"GE\" epoch=\"0\" ver=\"0.0\"/>"
                )?,
                _ => writeln!(out, "      <rpm:entry name=\"lib{other}.so()(64bit)\"/>")?,
            }
        }
        out.write_all(b"    </rpm:requires>\n")?;
        for file in 0..mixed(number, 9) % 4 {
            writeln!(out, "    <file>/usr/bin/{name}-{file}</file>")?;
        }
        out.write_all(b"  </format>\n</package>\n")?;
    }
    Ok(out.write_all(b"</metadata>\n")?)
}

/// Few files: what libsolv makes of millions of paths is not counted against dnf.
fn filelists(out: &mut BufWriter<File>) -> Result<()> {
    write!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<filelists xmlns=\"http://linux.duke.edu/metadata/filelists\" \
         packages=\"{PACKAGES}\">\n"
    )?;
    each(out, |out, _, name| {
        Ok(writeln!(out, "  <file>/usr/share/doc/{name}/README</file>")?)
    })?;
    Ok(out.write_all(b"</filelists>\n")?)
}

fn other(out: &mut BufWriter<File>) -> Result<()> {
    write!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<otherdata xmlns=\"http://linux.duke.edu/metadata/other\" \
         packages=\"{PACKAGES}\">\n"
    )?;
    each(out, |_, _, _| Ok(()))?;
    Ok(out.write_all(b"</otherdata>\n")?)
}

fn each(
    out: &mut BufWriter<File>,
    body: impl Fn(&mut BufWriter<File>, u32, &str) -> Result<()>,
) -> Result<()> {
    for number in 0..PACKAGES {
        let name = name(number);
        let arch = if mixed(number, 3).is_multiple_of(3) {
            "noarch"
        } else {
            "x86_64"
        };
        write!(
            out,
            "<package pkgid=\"{}\" name=\"{name}\" arch=\"{arch}\">\n  \
             <version epoch=\"0\" ver=\"{}.{}\" rel=\"1.fc43\"/>\n",
            pkgid(number),
            mixed(number, 4) % 30,
            mixed(number, 5) % 100
        )?;
        body(out, number, &name)?;
        out.write_all(b"</package>\n")?;
    }
    Ok(())
}

fn comps() -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<comps>\n  <group>\n    <id>core</id>\n    <name>Core</name>\n    \
         <description>Made up</description>\n    <default>false</default>\n    <uservisible>false</uservisible>\n    \
         <packagelist>\n",
    );
    for number in 0..CORE {
        let member = name(mixed(number, 11) % 3_000);
        let _ = writeln!(text, "      <packagereq type=\"mandatory\">{member}</packagereq>");
    }
    text.push_str("    </packagelist>\n  </group>\n</comps>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_of_a_package_before() {
        for number in [0, 1, 2, 500, 69_999] {
            assert!(requires(number).iter().all(|other| *other < number));
        }
        assert_eq!(name(7), name(7));
        assert_eq!(pkgid(7).len(), 64);
    }
}
