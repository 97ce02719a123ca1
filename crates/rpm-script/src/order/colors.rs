//! The ELF classes of a package and its dependencies (rpm's lib/rpmte.c: rpmteColorDS).

use bareroot_rpm::{Header, Tag};

/// rpm reads the lowest four bits of a file's colour alone.
const NIBBLE: u32 = 0x0f;

/// Colours: those of the dependencies by their places in the header, and of the package, which has all of them.
#[derive(Debug, Default)]
pub(super) struct Colors {
    pub provides: Vec<u32>,
    pub requires: Vec<u32>,
    pub package: u32,
}

impl Colors {
    pub(super) fn of(header: &Header) -> Colors {
        let mut colors = Colors {
            provides: vec![0; header.count(Tag::PROVIDENAME)],
            requires: vec![0; header.count(Tag::REQUIRENAME)],
            package: 0,
        };
        let files = header.u32s(Tag::FILECOLORS);
        let starts = header.u32s(Tag::FILEDEPENDSX);
        let counts = header.u32s(Tag::FILEDEPENDSN);
        let dictionary = header.u32s(Tag::DEPENDSDICT);
        for ((color, start), count) in files.iter().zip(&starts).zip(&counts) {
            let color = color & NIBBLE;
            let end = (*start as usize).saturating_add(*count as usize);
            for word in dictionary.get(*start as usize..end).unwrap_or_default() {
                // The first byte says of which list, the others at which place.
                let list = match word >> 24 {
                    0x50 => &mut colors.provides,
                    0x52 => &mut colors.requires,
                    _ => continue,
                };
                if let Some(own) = list.get_mut((word & 0xff_ffff) as usize) {
                    *own |= color;
                    colors.package |= color;
                }
            }
        }
        colors
    }

    /// A colour by its place.
    pub(super) fn at(list: &[u32], place: usize) -> u32 {
        list.get(place).copied().unwrap_or_default()
    }
}
