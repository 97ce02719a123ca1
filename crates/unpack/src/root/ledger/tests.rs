use super::*;
use crate::root::{FileKind, Node, Stat};

fn root(path: &Path, scope: Scope) -> Root {
    Root::open(path)
        .unwrap()
        .with_ledger(Arc::new(Ledger::new(scope)))
}

/// Path, kind, mode, owner and device of all that is in it.
fn listing(root: &Root) -> Vec<String> {
    let mut lines = Vec::new();
    root.walk(|entry| {
        let Stat {
            kind,
            mode,
            uid,
            gid,
            rdev,
            ..
        } = *entry.stat();
        let path = entry.path().display();
        lines.push(format!("{path} {kind:?} {mode:o} {uid}:{gid} {rdev:?}"));
        Ok(Walk::On)
    })
    .unwrap();
    lines
}

#[test]
fn owners_and_devices_are_kept_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let made = root(dir.path(), Scope::All);
    made.create_dir_all("dev", 0o755).unwrap();
    made.mknod("dev/null", Node::Char(1, 3), 0o666).unwrap();
    made.mknod("dev/sda", Node::Block(8, 0), 0o660).unwrap();
    made.chown("dev/sda", 0, 6).unwrap();
    made.create_dir("mail", 0o2775).unwrap();
    made.chown("mail", 0, 8).unwrap();
    std::fs::write(dir.path().join("mail/of-the-directory"), "").unwrap();
    made.write("mail/of-root", 0o600, b"x").unwrap();
    made.write("shadow", 0o640, b"x").unwrap();
    made.chown("shadow", 0, 42).unwrap();
    made.symlink("x", "a link").unwrap();
    made.chown("a link", 5, 6).unwrap();
    made.write("plain", 0o644, b"x").unwrap();
    assert_eq!(made.lstat("shadow").unwrap().unwrap().gid, 42);

    let expected = [
        "/a link Symlink 777 5:6 (0, 0)",
        "/dev Directory 755 0:0 (0, 0)",
        "/dev/null Char 666 0:0 (1, 3)",
        "/dev/sda Block 660 0:6 (8, 0)",
        "/mail Directory 2775 0:8 (0, 0)",
        "/mail/of-root File 600 0:0 (0, 0)",
        "/mail/of-the-directory File 644 0:8 (0, 0)",
        "/plain File 644 0:0 (0, 0)",
        "/shadow File 640 0:42 (0, 0)",
    ];
    let seen = |root: &Root| -> Vec<String> {
        let lines = listing(root).into_iter();
        lines.filter(|line| !line.contains(FILE)).collect()
    };
    let of = |root: &Root| -> Vec<String> {
        let mut lines = seen(root);
        lines.sort();
        lines
    };
    assert_eq!(of(&made), expected);

    made.save_ledger().unwrap();
    let text = std::fs::read_to_string(dir.path().join(FILE)).unwrap();
    let lines = "# bareroot ledger 1\n# owners\n5 6 - a\\040link\n0 0 c:1:3 dev/null\n0 6 b:8:0 dev/sda\n0 8 - mail\n0 0 - mail/of-root\n0 42 - shadow\n";
    assert_eq!(text, lines);

    let again = root(dir.path(), Scope::All);
    again.load_ledger().unwrap();
    assert_eq!(again.ledger_scope().unwrap(), Some(Scope::All));
    assert_eq!(of(&again), expected);
}

#[test]
fn what_others_recorded_meanwhile_stays() {
    let dir = tempfile::tempdir().unwrap();
    let one = root(dir.path(), Scope::All);
    for name in ["a", "b", "c"] {
        one.write(name, 0o644, b"").unwrap();
    }
    one.chown("a", 1, 1).unwrap();
    one.chown("b", 1, 1).unwrap();
    let other = root(dir.path(), Scope::All);
    other.chown("b", 2, 2).unwrap();
    other.chown("c", 2, 2).unwrap();
    one.save_ledger().unwrap();
    other.save_ledger().unwrap();
    let text = std::fs::read_to_string(dir.path().join(FILE)).unwrap();
    assert_eq!(text, "# bareroot ledger 1\n# owners\n1 1 - a\n2 2 - b\n2 2 - c\n");
}

#[test]
fn a_ledger_of_devices_leaves_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    let made = root(dir.path(), Scope::Devices);
    let me = made.lstat("/").unwrap().unwrap();
    made.mknod("null", Node::Char(1, 3), 0o666).unwrap();
    made.mknod("pipe", Node::Fifo, 0o600).unwrap();
    made.chown("null", me.uid, me.gid).unwrap();
    made.save_ledger().unwrap();
    let text = std::fs::read_to_string(dir.path().join(FILE)).unwrap();
    assert_eq!(text, "# bareroot ledger 1\n# devices\n0 0 c:1:3 null\n");
    made.remove("null").unwrap();
    made.save_ledger().unwrap();
    assert!(!made.exists(FILE).unwrap());
    assert_eq!(made.lstat("pipe").unwrap().unwrap().kind, FileKind::Fifo);
}

#[test]
fn a_text_that_is_no_ledger_is_refused_and_one_that_is_a_link_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let hostile = root(dir.path(), Scope::All);
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join(FILE)).unwrap();
    assert_eq!(hostile.ledger_scope().unwrap(), None);
    hostile.load_ledger().unwrap();
    std::fs::remove_file(dir.path().join(FILE)).unwrap();
    hostile.write(FILE, 0o600, b"root:x:0:0\n").unwrap();
    let error = hostile.load_ledger().unwrap_err();
    assert!(matches!(error, Error::Ledger { .. }), "{error}");
}
