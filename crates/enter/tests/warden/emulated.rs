//! Programs of another machine, run by an emulator that the session registers: this binary, which says how it was called.

use std::fs;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use bareroot_enter::binfmt::{Arch, Emulator};
use bareroot_enter::{Access, Confinement, Error, Mounts, Network, Program, Session, Spec, Visit, Warden};
use bareroot_model::Classified as _;

use crate::place::{Place, host_mounts, put_probe, run, say};
use crate::{Case, case};

pub const CASES: &[Case] = &[
    case("emulated::a_program_of_another_machine_runs", runs),
    case("emulated::the_root_s_own_programs_run_beside_it", beside),
    case("emulated::nothing_is_registered_outside", outside),
    case("emulated::ids_and_mounts_are_those_of_the_host", ids),
    case("emulated::sessions_have_their_own", several),
    case(
        "emulated::in_a_namespace_of_bareroot_s_own_it_is_there",
        own_namespace,
    ),
    case("emulated::also_where_programs_are_confined", confined),
    case("emulated::a_visit_says_what_is_missing", visited),
    case("emulated::an_emulator_that_is_gone_is_an_error", gone),
];

/// A machine that no emulator is for, and so nobody else has registered one.
const MACHINE: &str = "ia64";

/// How the kernel calls an interpreter that was registered by its descriptor.
pub const NAME: &str = "self/fd/";

/// What the emulator does: it says what it was given, and as whom.
pub fn main(words: &[String]) -> ExitCode {
    let mut out = std::io::stdout();
    let uid = rustix::process::geteuid().as_raw();
    let told = writeln!(out, "emulates {words:?} as {uid}");
    if told.is_ok() {
        ExitCode::from(7)
    } else {
        ExitCode::FAILURE
    }
}

/// A place with a program of that machine in it, and the emulator beside it.
fn place() -> (Place, Emulator) {
    let place = Place::new();
    let program = place.root.join("bin/foreign");
    let mut header = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x32\0".to_vec();
    header.resize(128, 0);
    fs::write(&program, header).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = place.dir.path().join("emulator");
    put_probe(&path);
    (place, Emulator::new(Arch::named(MACHINE).unwrap(), path))
}

fn enter(place: &Place, warden: &Warden, emulator: &Emulator) -> Session {
    place
        .enter_with(warden, |spec| spec.emulator = Some(emulator.clone()))
        .unwrap_or_else(|error| panic!("{error}: {:?}", error.hint()))
}

fn foreign(session: &Session) -> String {
    let (status, told) = run(session, &Program::in_root("/bin/foreign").arg("one").arg("two")).unwrap();
    assert_eq!(status.code(), 7, "{status}: {told}");
    told
}

fn runs() {
    let (warden, (place, emulator)) = (Warden::start().unwrap(), place());
    let session = enter(&place, &warden, &emulator);
    // The program, then its own zeroth argument, kept by the flag P.
    assert_eq!(
        foreign(&session),
        "emulates [\"/bin/foreign\", \"/bin/foreign\", \"one\", \"two\"] as 0\n"
    );
    // Without it nothing runs the program.
    let plain = place.enter(&warden);
    let error = run(&plain, &Program::in_root("/bin/foreign")).unwrap_err();
    assert_eq!(error.chroot_code(), 126);
}

fn beside() {
    let (warden, (place, emulator)) = (Warden::start().unwrap(), place());
    let session = enter(&place, &warden, &emulator);
    assert_eq!(say(&session, &["read", "/proc/1/comm"]), "bareroot-init\n");
    say(&session, &["devices"]);
    assert_eq!(say(&session, &["terminal"]), "/dev/pts/0 true\n");
}

fn outside() {
    let (warden, (place, emulator)) = (Warden::start().unwrap(), place());
    let table = || {
        fs::read_dir("/proc/sys/fs/binfmt_misc")
            .map(|entries| entries.flatten().count())
            .ok()
    };
    let (before, mounts) = (table(), host_mounts());
    let session = enter(&place, &warden, &emulator);
    foreign(&session);
    let on_host = Command::new(place.root.join("bin/foreign")).status();
    assert!(on_host.is_err(), "{on_host:?}");
    assert_eq!(table(), before);
    session.close().unwrap();
    assert_eq!(host_mounts(), mounts);
    assert_eq!(table(), before);
}

fn ids() {
    let (warden, (place, emulator)) = (Warden::start().unwrap(), place());
    let session = enter(&place, &warden, &emulator);
    let own = fs::read_to_string("/proc/self/uid_map").unwrap();
    let map = |text: &str| {
        let words = text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        words
            .chunks(3)
            .map(|line| (line[0].clone(), line[2].clone()))
            .collect::<Vec<_>>()
    };
    for file in ["/proc/self/uid_map", "/proc/self/gid_map"] {
        assert_eq!(map(&say(&session, &["read", file])), map(&own), "{file}");
    }
    // A file of the root is given away as ever.
    fs::write(place.root.join("etc/given"), "").unwrap();
    say(&session, &["give", "/etc/given", "1", "65534"]);
    use std::os::unix::fs::MetadataExt as _;
    let given = fs::metadata(place.root.join("etc/given")).unwrap();
    assert_eq!((given.uid(), given.gid()), (1, 65534));
}

fn several() {
    let (warden, (place, emulator)) = (Warden::start().unwrap(), place());
    let first = enter(&place, &warden, &emulator);
    let second = enter(&place, &warden, &emulator);
    foreign(&first);
    first.close().unwrap();
    foreign(&second);
}

/// As for an ordinary user: in a user namespace that `mode::adopt` made, whose table all sessions share.
fn own_namespace() {
    let (place, emulator) = place();
    let told = Command::new(place.root.join("bin/probe"))
        .arg0("probe")
        .arg("emulated-single")
        .arg(&place.root)
        .arg(emulator.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(
        told.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&told.stderr)
    );
    assert_eq!(text.matches("emulates").count(), 2, "{text}");
}

/// The part of the case above that runs in a process of its own.
pub fn single(root: &str, emulator: &str) {
    use bareroot_enter::mode::{Choice, Mode, adopt};
    adopt(Choice::Only(Mode::Single)).unwrap();
    let warden = Warden::start().unwrap();
    let directory = fs::File::open(root).unwrap();
    let mut spec = Spec::new(directory.as_fd(), root);
    spec.emulator = Some(Emulator::new(Arch::named(MACHINE).unwrap(), emulator));
    let (first, second) = (warden.enter(&spec).unwrap(), warden.enter(&spec).unwrap());
    let mut out = std::io::stdout();
    write!(out, "{}", foreign(&first)).unwrap();
    first.close().unwrap();
    write!(out, "{}", foreign(&second)).unwrap();
}

/// The host's tree is out of sight there, and the emulator with it.
fn confined() {
    let (warden, (place, emulator)) = (Warden::start().unwrap(), place());
    let session = place
        .enter_with(&warden, |spec| {
            spec.emulator = Some(emulator.clone());
            spec.confinement = Confinement::Rights;
            spec.mounts = Mounts::Full;
            spec.root_access = Access::ReadOnly;
            spec.network = Network::Loopback;
        })
        .unwrap();
    foreign(&session);
    let (status, told) = run(&session, &crate::place::probe(&["create", "/etc/new"])).unwrap();
    assert!(!status.success(), "{told}");
    assert!(fs::symlink_metadata(place.root.join("etc/new")).is_err());
}

fn visited() {
    let (warden, (place, _)) = (Warden::start().unwrap(), place());
    fs::copy(place.root.join("bin/foreign"), place.root.join("bin/sh")).unwrap();
    let visit = Visit {
        root: place.root.clone(),
        command: vec!["/bin/foreign".into()],
        ..Visit::default()
    };
    let error = visit.run(&warden, &mut |_| {}).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("nothing on this host runs programs of `ia64`: "),
        "{error}"
    );
    assert_eq!((error.chroot_code(), error.class().exit_code()), (126, 6));
}

fn gone() {
    let (warden, (place, _)) = (Warden::start().unwrap(), place());
    let none = PathBuf::from("/nonexistent/emulator");
    let arch = Arch::named(MACHINE).unwrap();
    let error = place
        .enter_with(&warden, |spec| spec.emulator = Some(Emulator::new(arch, none)))
        .unwrap_err();
    assert!(matches!(error, Error::Emulator { .. }), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("cannot open the emulator `/nonexistent/emulator` for `"),
        "{error}"
    );
    assert_eq!(error.hint(), None);
    assert_eq!(error.class().exit_code(), 6);
}
