use std::sync::Mutex;

use bareroot_trust::Verified;
use bareroot_unpack::{NameTable, Order, Outcome, Placer};

use crate::kit::*;

/// A small generator of numbers: the test must be the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % limit
    }
}

/// Packages that share directories, replace each other in a chain, and carry links and hard links.
fn packages(seed: u64) -> Vec<(Order, Vec<Item>)> {
    let mut numbers = Numbers(seed);
    (0..24)
        .map(|ordinal| {
            let name = format!("p{ordinal:02}");
            let mut items = vec![mtime(dir("./"), ordinal)];
            for n in 0..numbers.below(12) + 3 {
                let (a, b) = (numbers.below(4), numbers.below(4));
                let bits = 0o700 | numbers.below(0o100) as u32;
                items.push(mode(
                    mtime(dir(format!("./s{a}")), numbers.below(1000) as i64),
                    bits,
                ));
                items.push(mtime(dir(format!("./s{a}/t{b}")), numbers.below(1000) as i64));
                let path = format!("./s{a}/t{b}/{name}-{n}");
                items.push(mode(
                    file(&path, format!("{name} {n}").repeat(numbers.below(200) as usize)),
                    bits,
                ));
                match numbers.below(4) {
                    0 => items.push(hard(format!("{path}.h"), &path)),
                    1 => items.push(link(format!("{path}.l"), format!("../t{}", numbers.below(5)))),
                    // Everybody wants these.
                    2 => items.push(file(format!("./s{a}/fought{}", numbers.below(3)), &name)),
                    _ => items.push(link(format!("./s{a}/linked{}", numbers.below(2)), &name)),
                }
            }
            (order(ordinal as usize, &name), items)
        })
        .collect()
}

/// Everybody replaces whoever has a lower name, but for one who yields.
struct Chain;

impl bareroot_unpack::Relations for Chain {
    fn replaces(&self, package: &bareroot_unpack::Subject, other: &bareroot_unpack::Subject) -> bool {
        if package.name == "p07" {
            false
        } else {
            package.name > other.name || other.name == "p07"
        }
    }
}

fn run(threads: usize, mut packages: Vec<(Order, Vec<Item>)>, numbers: &mut Numbers) -> (Outcome, String) {
    for at in (1..packages.len()).rev() {
        packages.swap(at, numbers.below(at as u64 + 1) as usize);
    }
    let ground = Ground::new();
    let mut settings = settings();
    settings.relations = std::sync::Arc::new(Chain);
    let placer = Placer::new(&ground.root(), settings).unwrap();
    let queue = Mutex::new(packages);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some((order, items)) = queue.lock().unwrap().pop() else {
                        return;
                    };
                    placer.place(&order, Verified::local(Made::new(items))).unwrap();
                }
            });
        }
    });
    (
        placer
            .finish(&NameTable::default(), &bareroot_unpack::Diversions::default())
            .unwrap(),
        ground.list(),
    )
}

#[test]
fn one_thread_and_many_make_the_same_tree() {
    for seed in 0..3 {
        let mut numbers = Numbers(seed + 100);
        let (outcome, listing) = run(1, packages(seed), &mut numbers);
        assert!(listing.contains("fought") && listing.contains("linked"));
        for threads in [1, 8, 8] {
            let (other, elsewhere) = run(threads, packages(seed), &mut numbers);
            assert_eq!(elsewhere, listing, "seed {seed}, {threads} threads");
            assert_eq!(other, outcome, "seed {seed}, {threads} threads");
        }
    }
}
