use super::MAGIC;

/// The order of a number's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// As x86, ARM and POWER (ppc64le) have them.
    Little,
    /// As s390x and older POWER have them.
    Big,
}

impl ByteOrder {
    /// That of this machine.
    pub const NATIVE: ByteOrder = match cfg!(target_endian = "little") {
        true => ByteOrder::Little,
        false => ByteOrder::Big,
    };

    /// That of machines of an architecture, in rpm's words.
    pub fn of_arch(arch: &str) -> ByteOrder {
        let big = [
            "s390", "s390x", "ppc", "ppc64", "ppc64p7", "mips", "mips64", "sparc64", "m68k",
        ];
        match big.contains(&arch) {
            true => ByteOrder::Big,
            false => ByteOrder::Little,
        }
    }

    /// The order in which four bytes are Berkeley DB's magic number for a hash.
    pub(crate) fn of_magic(word: [u8; 4]) -> Option<ByteOrder> {
        [ByteOrder::Little, ByteOrder::Big]
            .into_iter()
            .find(|order| order.word(word) == MAGIC)
    }

    pub(crate) fn word(self, bytes: [u8; 4]) -> u32 {
        match self {
            ByteOrder::Little => u32::from_le_bytes(bytes),
            ByteOrder::Big => u32::from_be_bytes(bytes),
        }
    }

    pub(crate) fn short(self, bytes: [u8; 2]) -> u16 {
        match self {
            ByteOrder::Little => u16::from_le_bytes(bytes),
            ByteOrder::Big => u16::from_be_bytes(bytes),
        }
    }

    pub(crate) fn bytes(self, word: u32) -> [u8; 4] {
        match self {
            ByteOrder::Little => word.to_le_bytes(),
            ByteOrder::Big => word.to_be_bytes(),
        }
    }

    pub(crate) fn short_bytes(self, short: u16) -> [u8; 2] {
        match self {
            ByteOrder::Little => short.to_le_bytes(),
            ByteOrder::Big => short.to_be_bytes(),
        }
    }
}
