use bareroot_archive::{TarLimits, TarReader};
use bareroot_model::{Class, Classified};
use bareroot_testkit::deb::{Item, tar};
use bareroot_trust::Verified;
use bareroot_unpack::{NameTable, Placer};

use crate::kit::{Ground, order, settings};

fn place(ground: &Ground, bytes: &[u8]) -> Result<bareroot_unpack::Outcome, bareroot_unpack::Error> {
    let placer = Placer::new(&ground.root(), settings()).unwrap();
    placer.place(
        &order(0, "a"),
        Verified::local(TarReader::new(bytes, TarLimits::default())),
    )?;
    placer.finish(&NameTable::default(), &bareroot_unpack::Diversions::default())
}

#[test]
fn a_tar_archive() {
    let ground = Ground::new();
    let long = format!("./usr/{}", "n".repeat(150));
    let items = [
        Item::directory("./"),
        Item::directory("./usr"),
        Item::file("./usr/f", "content"),
        Item::hardlink("./usr/h", "./usr/f"),
        Item::symlink("./usr/l", "f"),
        Item::file(&long, "long"),
    ];
    let outcome = place(&ground, &tar(&items)).unwrap();
    assert_eq!(outcome.packages[0].paths.len(), 6);
    assert_eq!(ground.read("usr/h"), "content");
    assert_eq!(ground.text("usr/l"), "f");
    assert_eq!(ground.read(long.trim_start_matches("./")), "long");
}

#[test]
fn a_truncated_archive() {
    let whole = tar(&[Item::directory("./"), Item::file("./f", vec![1; 4000])]);
    for end in [100, 512, 700, 1024, 1100, 3000] {
        let error = match place(&Ground::new(), &whole[..end]) {
            // The end of an archive may be missing where an entry ends.
            Ok(_) => continue,
            Err(error) => error,
        };
        assert_eq!(error.class(), Class::Trust, "{end}: {error}");
    }
}
