use super::*;

#[test]
fn setups_and_back() {
    let setup = Setup {
        hostname: Some("box".into()),
        no_fsync: true,
        personality32: false,
        mounts: Mounts::Standard,
        binds: vec![
            Bind {
                source: "/a".into(),
                target: "/b".into(),
                access: Access::ReadOnly,
            },
            Bind {
                source: "/c".into(),
                target: "/d".into(),
                access: Access::ReadWrite,
            },
        ],
        extras: vec![
            Extra {
                path: "x/program".into(),
                content: Content::OwnProgram,
            },
            Extra {
                path: "link".into(),
                content: Content::Link("x/program".into()),
            },
            Extra {
                path: "file".into(),
                content: Content::File {
                    mode: 0o640,
                    bytes: vec![0, 255, 10],
                },
            },
        ],
        covers: vec![Cover {
            source: "/dev/file".into(),
            target: "/etc/a".into(),
        }],
        owners: Owners::Asked,
        emulator: Some(Rule {
            name: "one".into(),
            magic: "\\x7f".into(),
            mask: "\\xff".into(),
            path: "/q".into(),
        }),
        confinement: Confinement::Rights,
        root_access: Access::ReadOnly,
        network: Network::Loopback,
        host_files: vec!["/etc/hosts".into()],
        terminal: true,
    };
    assert_eq!(Setup::decode(&setup.encode()).unwrap(), setup);
    let bare = Setup {
        hostname: None,
        mounts: Mounts::None,
        binds: Vec::new(),
        extras: Vec::new(),
        owners: Owners::Lied,
        emulator: None,
        covers: Vec::new(),
        confinement: Confinement::None,
        root_access: Access::ReadWrite,
        network: Network::Host,
        host_files: Vec::new(),
        terminal: false,
        ..setup
    };
    assert_eq!(Setup::decode(&bare.encode()).unwrap(), bare);
}

#[test]
fn answers_and_back() {
    let path = PathBuf::from("/proc");
    for answer in [
        Ok(Prepared {
            notes: vec!["no /sys".to_owned()],
            listens: true,
        }),
        Err(Failure::Namespaces { errno: 1 }),
        Err(Failure::MountPoint {
            path,
            want_directory: true,
            found: Found::Symlink,
        }),
        Err(Failure::Step {
            doing: "mount".into(),
            errno: 22,
        }),
        Err(Failure::Emulator {
            doing: "register".into(),
            errno: 1,
        }),
    ] {
        let ready = Ready(answer);
        assert_eq!(Ready::decode(&ready.encode()).unwrap(), ready);
    }
}

#[test]
fn orders_and_back() {
    let mut program = Program::in_root("/bin/sh").arg("-c").arg("").env("A", "b=c");
    program.identity = Identity::Ids {
        uid: 1,
        gid: u32::MAX - 1,
        groups: vec![7],
    };
    program.code = Code::Builtin;
    program.arg0 = Some("-sh".into());
    program.terminal = true;
    let expected = Order::Start(Start {
        id: 9,
        code: Code::Builtin,
        path: program.path.clone(),
        arg0: program.arg0.clone(),
        args: program.args.clone(),
        env: program.env.clone(),
        cwd: "/".into(),
        place: Place::Root,
        identity: program.identity.clone(),
        targets: vec![0, 1, 200],
        terminal: true,
    });
    assert_eq!(
        Order::decode(&encode_start(9, &program, &[0, 1, 200])).unwrap(),
        expected
    );
    assert_eq!(
        Order::decode(&encode_kill(3, 15)).unwrap(),
        Order::Kill { id: 3, signal: 15 }
    );
    assert!(Order::decode(&[9, 0, 0, 0]).is_err());
}

#[test]
fn reports_and_back() {
    for why in WHYS {
        let report = Report::Refused { why, errno: 2 };
        assert_eq!(Report::decode(report.encode()).unwrap(), report);
    }
    for report in [Report::Exited(255), Report::Signaled(9)] {
        assert_eq!(Report::decode(report.encode()).unwrap(), report);
    }
    assert!(Report::decode([9; REPORT]).is_err());
}
