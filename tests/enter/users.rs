//! Users are those of the root.

use bareroot_testkit::cases;
use bareroot_testkit::harness::Case;

use crate::place::Place;

pub const CASES: &[Case] = cases![Root: users_are_looked_up_in_the_root, a_root_without_users_has_root];

fn users_are_looked_up_in_the_root() {
    let place = Place::new();
    // The kernel keeps groups in order.
    for (user, ids) in [
        ("seven", "7 8 [8, 9, 44]"),
        ("7", "7 8 [8, 9, 44]"),
        ("seven:nine", "7 9 [9, 44]"),
        ("seven:77", "7 77 [9, 44, 77]"),
        ("500:501", "500 501 [501]"),
        (":eight", "0 8 [8, 9]"),
        ("root", "0 0 [0, 9]"),
        ("+7", "7 8 [8, 9, 44]"),
    ] {
        assert_eq!(
            place.says(&["--user", user], &["ids"]),
            format!("{ids}\n"),
            "{user}"
        );
    }
    // As the session has them: what covers the file counts.
    std::fs::write(place.beside("passwd"), "seven:x:70:80::/:/bin/sh\n").unwrap();
    let bind = format!("{}:/etc/passwd", place.beside("passwd").display());
    assert_eq!(
        place.says(&["-u", "seven", "--bind", &bind], &["ids"]),
        "70 80 [9, 44, 80]\n"
    );
}

fn a_root_without_users_has_root() {
    let place = Place::new();
    std::fs::remove_file(place.root().join("etc/passwd")).unwrap();
    std::fs::remove_file(place.root().join("etc/group")).unwrap();
    assert_eq!(place.says(&[], &["ids"]), "0 0 [0]\n");
    assert_eq!(place.says(&["-u", "0"], &["ids"]), "0 0 [0]\n");
    assert_eq!(place.says(&["-u", "3:4"], &["ids"]), "3 4 [4]\n");
}
