use super::*;

fn apply_text(text: &str, accounts: &mut Accounts) -> Result<Vec<String>, SysusersError> {
    let lines: Vec<Vec<u8>> = text.lines().map(|line| line.as_bytes().to_vec()).collect();
    apply(&lines, accounts, &|path| (path == b"/etc").then_some((0, 0)))
}

fn accounts() -> Accounts {
    Accounts {
        passwd: b"root:x:0:0:root:/root:/bin/bash\n".to_vec(),
        group: b"root:x:0:\nbin:x:1:x\n".to_vec(),
        today: 20_782,
        ..Accounts::default()
    }
}

/// What systemd-sysusers 252 made of the same lines and files.
#[test]
fn everything_at_once_is_as_systemd_does_it() {
    let lines = r#"
u aa - "A user" /var/lib/aa /bin/sh
u bb 65 "B"
g cc -
g dd 66
m aa cc
m ee ff
u gg 67:dd
u hh 65
u ii -:bin
u kk /etc
u ll 998
m root bin
u nn - - - -
u oo 70:1 "x y"
u bin2 1
u "qq" 72 - - -
u pp 80
g pp 81
u tt 90 'single "q"' /home
r - 500-510
u zz -
"#;
    let mut made = accounts();
    let notes = apply_text(lines, &mut made).unwrap();
    assert_eq!(
        String::from_utf8(made.passwd.clone()).unwrap(),
        r#"root:x:0:0:root:/root:/bin/bash
aa:x:508:508:A user:/var/lib/aa:/bin/sh
bb:x:65:65:B:/:/usr/sbin/nologin
gg:x:67:66::/:/usr/sbin/nologin
hh:x:507:507::/:/usr/sbin/nologin
ii:x:506:1::/:/usr/sbin/nologin
kk:x:505:505::/:/usr/sbin/nologin
ll:x:998:998::/:/usr/sbin/nologin
nn:x:504:504::/:/usr/sbin/nologin
oo:x:70:1:x y:/:/usr/sbin/nologin
bin2:x:503:503::/:/usr/sbin/nologin
qq:x:72:72::/:/usr/sbin/nologin
pp:x:80:81::/:/usr/sbin/nologin
tt:x:90:90:single "q":/home:/usr/sbin/nologin
zz:x:502:502::/:/usr/sbin/nologin
ee:x:501:501::/:/usr/sbin/nologin
"#
    );
    assert_eq!(
        String::from_utf8(made.group.clone()).unwrap(),
        "root:x:0:\nbin:x:1:root,x\ncc:x:510:aa\ndd:x:66:\npp:x:81:\nff:x:509:ee\naa:x:508:\nbb:x:65:\nhh:x:507:\n\
         kk:x:505:\nll:x:998:\nnn:x:504:\nbin2:x:503:\nqq:x:72:\ntt:x:90:\nzz:x:502:\nee:x:501:\n"
    );
    assert!(made.shadow.starts_with(b"aa:!*:20782::::::\nbb:!*:20782::::::\n"));
    assert!(
        made.gshadow
            .starts_with(b"cc:!*::aa\ndd:!*::\npp:!*::\nff:!*::ee\naa:!*::\n")
    );
    assert!(notes.contains(&"Suggested user ID 65 for hh already used.".to_owned()));
    // Once more changes nothing.
    let before = made.clone();
    apply_text(lines, &mut made).unwrap();
    assert_eq!(made, before);
}

#[test]
fn ids_go_down_from_the_last_of_the_system() {
    let mut made = accounts();
    apply_text("u aa - -\nu pp 998\nu rr 5:7\ng zz -", &mut made).unwrap();
    assert!(
        String::from_utf8(made.passwd)
            .unwrap()
            .contains("\naa:x:998:998:")
    );
    let mut small = Accounts {
        login_defs: b"# x\nSYS_UID_MAX 2\n".to_vec(),
        ..accounts()
    };
    let notes = apply_text("u aa -\nu bb -\nu cc -", &mut small).unwrap();
    assert_eq!(
        String::from_utf8(small.passwd).unwrap(),
        "root:x:0:0:root:/root:/bin/bash\naa:x:2:2::/:/usr/sbin/nologin\n"
    );
    assert_eq!(notes.len(), 2);
}

#[test]
fn lines_that_are_none_are_refused_and_change_nothing() {
    for line in [
        "u - 5",
        "u a.b 5",
        "u 9x 5",
        "u %b 5",
        "g x 5:6",
        "u x 99999999999",
        "u x 5 a b c d",
        "m x",
        "z x 5 a",
        "g x 5 a",
        "u x 5 a:b",
        "u x 5 a relative",
        "u x 5 \"a",
        "r - 9-5",
        "u x 4294967295",
        "u x 65535",
        "u x 5 a /h /s\\",
    ] {
        let mut made = accounts();
        assert!(
            apply_text(&format!("u first 9\n{line}"), &mut made).is_err(),
            "{line}"
        );
        assert_eq!(made, accounts(), "{line}");
    }
}

#[test]
fn lines_of_other_sources_stay_last() {
    let mut made = Accounts {
        passwd: b"root:x:0:0::/:/bin/sh\n+::::::".to_vec(),
        ..accounts()
    };
    apply_text("u aa 7", &mut made).unwrap();
    assert_eq!(
        String::from_utf8(made.passwd).unwrap(),
        "root:x:0:0::/:/bin/sh\naa:x:7:7::/:/usr/sbin/nologin\n+::::::\n"
    );
}
