//! Runs that are held in one phase until they are told to stop.

use std::time::Duration;

use bareroot_testkit::door::{Door, Going, signer};
use bareroot_testkit::mirror::Fault;
use bareroot_testkit::programs::script;
use bareroot_testkit::{Compression, base};

use crate::{over, repository};

/// Where a run can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The mirror does not answer.
    Release,
    /// An index stops in the middle.
    Index,
    /// An archive stops in the middle.
    Fetch,
    /// An archive comes slowly, while others are unpacked.
    Unpack,
    SetupHook,
    ExtractHook,
    EssentialHook,
    CustomizeHook,
    Preinst,
    Postinst,
}

impl Hold {
    pub const ALL: [Hold; 10] = [
        Hold::Release,
        Hold::Index,
        Hold::Fetch,
        Hold::Unpack,
        Hold::SetupHook,
        Hold::ExtractHook,
        Hold::EssentialHook,
        Hold::CustomizeHook,
        Hold::Preinst,
        Hold::Postinst,
    ];
}

/// A mirror, and packages, that can hold a run.
pub fn door() -> Door {
    let sleep = || script("echo here\nsleep 300");
    let packages = [
        base::package("before", "1").script("preinst", sleep()),
        base::package("after", "1").script("postinst", sleep()),
        // Each is larger than what a socket takes at once.
        base::package("large", "1")
            .file("/large", vec![1; 4 << 20])
            .compression(Compression::None),
        base::package("many", "1")
            .file("/many", vec![2; 2 << 20])
            .compression(Compression::None),
    ];
    over(
        repository(&packages).files(Some(signer())),
        signer().certificate(),
    )
}

/// Starts a run and waits until it is held.
pub fn held(door: &Door, hold: Hold) -> Going {
    let archive = format!("pool/main/large/large_1_{}.deb", base::ARCH);
    let sleep = "echo here; sleep 300";
    let mut options = vec!["--verbose"];
    match hold {
        Hold::Release => door.mirror.always("dists/tiny/InRelease", Fault::Silence),
        Hold::Index => {
            // The first request is for the Release file, every other stalls.
            door.mirror.fault("dists/tiny/InRelease", 1, Fault::NoRange);
            door.mirror.always("*", Fault::Stall(10));
        }
        Hold::Fetch => {
            door.mirror.always(&archive, Fault::Stall(1 << 20));
            options.extend(["--include", "large,many"]);
        }
        Hold::Unpack => {
            door.mirror
                .always(&archive, Fault::Slow(1000, Duration::from_millis(20)));
            options.extend(["--include", "large,many"]);
        }
        Hold::SetupHook => options.extend(["--setup-hook", sleep]),
        Hold::ExtractHook => options.extend(["--extract-hook", sleep]),
        Hold::EssentialHook => options.extend(["--essential-hook", sleep]),
        Hold::CustomizeHook => options.extend(["--customize-hook", sleep]),
        Hold::Preinst => options.extend(["--include", "before"]),
        Hold::Postinst => options.extend(["--include", "after"]),
    }
    let mut going = Going::start(door.bootstrap_command(&options));
    match hold {
        Hold::Release => going.until_so("the first request", || {
            door.mirror.count("dists/tiny/InRelease") > 0
        }),
        Hold::Index => going.until_so("a request for an index", || {
            door.mirror
                .requests()
                .iter()
                .any(|request| request.path.contains("/main/"))
        }),
        Hold::Fetch | Hold::Unpack => {
            going.until_said("unpacked many");
            going.until_so("the request for the archive", || door.mirror.count(&archive) > 0);
        }
        _ => going.until_said("  here"),
    }
    going
}
