use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::door::{is_there, run};
use bareroot_testkit::harness::Case;
use bareroot_testkit::programs::script;
use bareroot_testkit::{base, cases};

use crate::{door, installed, repository, text};

pub const CASES: &[Case] = cases![
    Root: each_kind_at_its_time, hooks_of_one_kind_keep_their_order, a_hook_can_be_a_program, a_hook_changes_the_root,
        a_hook_has_the_users_environment,
];

fn hello() -> DebBuilder {
    base::package("hello", "1.0")
        .file("/usr/bin/hello", "hello")
        .script("postinst", script("touch /configured"))
}

fn each_kind_at_its_time() {
    let door = door(&repository(&[hello()]));
    let seen = door.path("seen");
    // What there is in the root: its packages' states, and whether its /proc is the one of a session.
    let hook = |kind: &str| {
        format!(
            "{{ echo {kind}; sed -n 's/^Package: //p; s/^Status: //p' \"$1/var/lib/dpkg/status\" 2>/dev/null; \
             test -e \"$1/proc/self/status\" && echo proc; test -c \"$1/dev/null\" && echo null; \
             test -e \"$1/usr/bin/hello\" && echo hello; test -e \"$1/configured\" && echo configured; \
             echo .; }} >> {}",
            seen.display()
        )
    };
    // The order of different kinds on the command line means nothing. A root without packages has no /proc yet.
    let (customize, essential, extract, setup) = (
        hook("customize"),
        hook("essential"),
        hook("extract"),
        hook("setup"),
    );
    door.bootstrap(&[
        "--include",
        "hello",
        "--customize-hook",
        &customize,
        "--essential-hook",
        &essential,
        "--extract-hook",
        &extract,
        "--setup-hook",
        &setup,
    ])
    .succeeded();
    let essential = |state: &str| {
        ["base-files", "base-passwd", "dpkg"]
            .map(|name| format!("{name}\ninstall ok {state}\n"))
            .concat()
    };
    let all: String = ["apt", "base-files", "base-passwd", "dpkg", "hello"]
        .map(|name| format!("{name}\ninstall ok installed\n"))
        .concat();
    assert_eq!(
        text(seen),
        format!(
            "setup\nnull\n.\nextract\n{}proc\nnull\n.\nessential\n{}proc\nnull\n.\n\
             customize\n{all}proc\nnull\nhello\nconfigured\n.\n",
            essential("unpacked"),
            essential("installed")
        )
    );
    assert_eq!(installed(&door.target()).len(), 5);
    assert!(!is_there(&door.target().join("proc/self")));
    door.assert_no_mount_and_no_process();
}

fn hooks_of_one_kind_keep_their_order() {
    let door = door(&repository(&[]));
    let say = |word: &str| format!("echo {word} >> {}", door.path("seen").display());
    let run = door
        .bootstrap(&[
            "--setup-hook",
            &say("1"),
            "--customize-hook",
            &say("3"),
            "--setup-hook",
            &say("2"),
        ])
        .succeeded();
    assert_eq!(text(door.path("seen")), "1\n2\n3\n");
    assert!(run.stderr.contains("setup hook: echo 1 "), "{}", run.stderr);
}

fn a_hook_can_be_a_program() {
    use std::os::unix::fs::PermissionsExt as _;
    let door = door(&repository(&[]));
    let program = door.file(
        "a hook",
        "#!/bin/sh\nprintf '%s|%s\\n' \"$#\" \"$1\" > \"$(dirname \"$0\")/seen\"\n",
    );
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    door.bootstrap(&["--customize-hook", &program.to_string_lossy()])
        .succeeded();
    let seen = text(door.path("seen"));
    let staging = seen.strip_prefix("1|").unwrap_or_default();
    assert!(
        staging.starts_with(&format!("{}/.root.bareroot-", door.path("out").display())),
        "{seen}"
    );
}

fn a_hook_changes_the_root() {
    let door = door(&repository(&[]));
    door.bootstrap(&[
        "--customize-hook",
        "echo mine > \"$1/etc/motd\"",
        "--customize-hook",
        "rm -r \"$1/home\"",
        "--customize-hook",
        "chroot \"$1\" /usr/bin/dpkg --configure -a",
    ])
    .succeeded();
    assert_eq!(text(door.target().join("etc/motd")), "mine\n");
    assert!(!is_there(&door.target().join("home")));
}

fn a_hook_has_the_users_environment() {
    let door = door(&repository(&[]));
    let hook = format!(
        "echo \"$MINE $BAREROOT_HOOK $PWD\" > {}",
        door.path("seen").display()
    );
    let mut command = door.bootstrap_command(&["--extract-hook", &hook]);
    command.env("MINE", "yes");
    run(command).succeeded();
    assert_eq!(
        text(door.path("seen")),
        format!("yes extract {}\n", door.path("").display()).replace("/\n", "\n")
    );
}
