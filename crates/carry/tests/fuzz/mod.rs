//! The bodies of this crate's fuzz targets. `fuzz/` runs them over what libFuzzer makes up, `mutate.rs` over seeded
//! mutations, so that they also run where there is no nightly compiler.

use bareroot_carry::cache;
use bareroot_carry::elf::Object;

/// An ELF file: what is read of it stands in it.
pub fn elf(data: &[u8]) {
    if let Ok(object) = Object::read(data) {
        assert!(object.rpath.is_none() || object.runpath.is_none());
        assert!(object.needed.iter().all(|name| name.len() < data.len()));
    }
}

/// A cache of libraries: written again, it says the same.
pub fn loader_cache(data: &[u8]) {
    if let Ok(entries) = cache::read(data) {
        let again = cache::read(&cache::write(&entries, false)).expect("what was written is read");
        assert_eq!(again.len(), entries.len());
        assert!(entries.iter().all(|entry| again.contains(entry)));
    }
}
