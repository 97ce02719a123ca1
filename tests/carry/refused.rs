//! What cannot be carried, and what that is told by.

use std::fs;

use bareroot_testkit::cases;
use bareroot_testkit::harness::Case;

use crate::{Elf, Setting, listing, with_loader};

pub const CASES: &[Case] = cases![
    Nothing: no_program, no_elf_and_no_script, no_interpreter, circular_links, broken_elf, a_file_that_differs, no_such_file,
    an_error_leaves_nothing
];

fn no_program() {
    let setting = with_loader(&[]);
    setting
        .carry(&["tool"])
        .failed(2, &["there is no program `tool`", "hint: ", "/usr/local/sbin"]);
    setting
        .carry(&["/opt/tool"])
        .failed(2, &["`/opt/tool`", "inside --from"]);
    setting.file("usr/bin/directory/x", 0o644, "");
    setting.carry(&["/usr/bin/directory"]).failed(2, &["a directory"]);
    assert!(!setting.root().exists());
}

fn no_elf_and_no_script() {
    let setting = with_loader(&[]);
    for (content, words) in [
        (&b"echo hello\n"[..], "a text"),
        (b"", "an empty file"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"\x00\x01\x02\x03", "begins with"),
    ] {
        setting.file("usr/bin/tool", 0o755, content);
        setting
            .carry(&["tool"])
            .failed(2, &["`/usr/bin/tool` cannot be run", words, "--file"]);
    }
}

fn no_interpreter() {
    let setting = with_loader(&[]);
    let program = Elf {
        interpreter: Some("/lib64/none.so"),
        ..Elf::default()
    };
    setting.file("usr/bin/tool", 0o755, program.bytes());
    setting
        .carry(&["tool"])
        .failed(3, &["`/usr/bin/tool` needs the interpreter `/lib64/none.so`"]);
    setting.file("usr/bin/script", 0o755, "#!/usr/bin/none -x\n");
    setting.carry(&["script"]).failed(3, &["`/usr/bin/none`"]);
    setting.program("usr/bin/env", &Elf::default());
    setting.file("usr/bin/script", 0o755, "#!/usr/bin/env -S A=b none -x\n");
    setting.carry(&["script"]).failed(3, &["`none`"]);
}

fn circular_links() {
    let setting = with_loader(&[]);
    setting.link("b", "usr/bin/a");
    setting.link("a", "usr/bin/b");
    setting
        .carry(&["/usr/bin/a"])
        .failed(6, &["leads in a circle", "40"]);
}

fn broken_elf() {
    let setting = with_loader(&[]);
    let whole = Elf {
        needed: &["liba.so"],
        ..Elf::default()
    }
    .bytes();
    setting.file("usr/bin/tool", 0o755, &whole[..whole.len() - 20]);
    setting
        .carry(&["tool"])
        .failed(5, &["/usr/bin/tool", "broken ELF"]);
}

fn a_file_that_differs() {
    let setting = with_loader(&["liba.so"]);
    setting.program(
        "usr/bin/tool",
        &Elf {
            needed: &["liba.so"],
            ..Elf::default()
        },
    );
    setting.program("usr/bin/other", &Elf::default());
    setting.carry(&["tool", "--no-data"]).ok();
    let again = setting.carry(&["tool", "--no-data"]).ok();
    assert!(
        again
            .stderr
            .contains("0 files, 0 links and 0 directories carried"),
        "{again:?}"
    );
    let library = setting.root().join("usr/lib/aarch64-linux-gnu/liba.so");
    fs::write(&library, "mine").unwrap();
    let before = listing(&setting.root());
    setting.carry(&["other", "tool", "--no-data"]).failed(
        6,
        &[
            "`/usr/lib/aarch64-linux-gnu/liba.so`",
            "nothing was written",
            "--force",
        ],
    );
    assert_eq!(listing(&setting.root()), before);
    assert_eq!(fs::read(&library).unwrap(), b"mine");
    setting.carry(&["other", "tool", "--no-data", "--force"]).ok();
    assert!(fs::read(&library).unwrap().starts_with(b"\x7fELF"));
    assert!(setting.root().join("usr/bin/other").is_file());
    // A directory is never replaced by a file.
    fs::remove_file(&library).unwrap();
    fs::create_dir(&library).unwrap();
    setting
        .carry(&["tool", "--no-data", "--force"])
        .failed(6, &["liba.so", "a directory"]);
}

fn no_such_file() {
    let setting = with_loader(&[]);
    setting.program("usr/bin/tool", &Elf::default());
    setting
        .carry(&["tool", "--file", "/etc/none"])
        .failed(2, &["there is no `/etc/none`"]);
}

fn an_error_leaves_nothing() {
    let setting = Setting::new();
    setting.carry(&["tool"]).failed(2, &["tool"]);
    let beside = fs::read_dir(setting.root().parent().unwrap()).unwrap().count();
    assert_eq!(beside, 1, "the source alone is there");
}
