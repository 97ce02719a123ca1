//! What of an ELF file decides about loading it (elf(5)).

use std::collections::HashSet;

use object::elf::{FileHeader32, FileHeader64};
use object::read::ReadRef;
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _, SectionHeader as _, Sym as _};
use object::{Endianness, Pod};

/// Which machine an object is for: what must be equal for two to be loaded into one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Machine {
    /// 32 or 64 (EI_CLASS).
    pub bits: u8,
    /// Whether its numbers have the highest byte first (EI_DATA).
    pub big_endian: bool,
    /// e_machine.
    pub number: u16,
}

/// A library that an object loads by name where a feature is used (the note `.note.dlopen` of the UAPI group).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Alternatives, the best first.
    pub sonames: Vec<String>,
    /// What it is for.
    pub feature: String,
    /// Whether the object does not work without it.
    pub required: bool,
}

/// A program or a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its machine.
    pub machine: Machine,
    /// Whether it can be loaded at all: ET_EXEC or ET_DYN.
    pub loadable: bool,
    /// The path of its ELF interpreter, PT_INTERP.
    pub interpreter: Option<Vec<u8>>,
    /// DT_NEEDED, in their order.
    pub needed: Vec<Vec<u8>>,
    /// DT_SONAME.
    pub soname: Option<Vec<u8>>,
    /// DT_RPATH; the loader ignores it where there is a DT_RUNPATH, and so it is `None` then.
    pub rpath: Option<Vec<u8>>,
    /// DT_RUNPATH.
    pub runpath: Option<Vec<u8>>,
    /// DF_1_NODEFLIB: the default directories are not searched for it.
    pub no_default_directories: bool,
    /// The names of functions and data that others must define for it.
    pub imports: HashSet<Vec<u8>>,
    /// Its notes about libraries that it loads by name.
    pub suggestions: Vec<Suggestion>,
}

/// Why a file is no ELF object that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It does not begin as one.
    #[error("it does not begin with the four bytes of an ELF file")]
    NotElf,
    /// A part of it is not where it says.
    #[error("it is a broken ELF file: {0}")]
    Broken(String),
}

/// The largest table of names that is read: that of the largest browser is a tenth of it.
const MOST_NAMES: u64 = 256 << 20;
/// The most entries that are taken of what an object needs.
const MOST_NEEDED: usize = 4096;
/// The longest note that is read.
const LONGEST_NOTE: usize = 1 << 20;
/// The type of `.note.dlopen`.
const NOTE_DLOPEN: u32 = 0x407c_0c0a;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const SHT_DYNSYM: u32 = 11;
const DT_NULL: i64 = 0;
const DT_NEEDED: i64 = 1;
const DT_STRTAB: i64 = 5;
const DT_STRSZ: i64 = 10;
const DT_SONAME: i64 = 14;
const DT_RPATH: i64 = 15;
const DT_RUNPATH: i64 = 29;
const DT_FLAGS_1: i64 = 0x6fff_fffb;
const DF_1_NODEFLIB: u64 = 0x800;

impl Object {
    /// Reads an object.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read<'data>(data: impl ReadRef<'data>) -> Result<Object, Malformed> {
        let ident = data.read_bytes_at(0, 16).map_err(|()| Malformed::NotElf)?;
        if !ident.starts_with(b"\x7fELF") {
            return Err(Malformed::NotElf);
        }
        match ident.get(4) {
            Some(1) => read::<FileHeader32<Endianness>, _>(data),
            Some(2) => read::<FileHeader64<Endianness>, _>(data),
            _ => Err(Malformed::Broken(
                "its class is neither 32 nor 64 bits".to_owned(),
            )),
        }
    }
}

fn broken(error: object::read::Error) -> Malformed {
    Malformed::Broken(error.to_string())
}

fn read<'data, E, R>(data: R) -> Result<Object, Malformed>
where
    E: FileHeader<Endian = Endianness> + Pod,
    R: ReadRef<'data>,
{
    let header = E::parse(data).map_err(broken)?;
    let endian = header.endian().map_err(broken)?;
    let segments = header.program_headers(endian, data).map_err(broken)?;
    let mut object = Object {
        machine: Machine {
            bits: if header.is_class_64() { 64 } else { 32 },
            big_endian: header.is_big_endian(),
            number: header.e_machine(endian).0,
        },
        loadable: matches!(header.e_type(endian).0, 2 | 3),
        interpreter: None,
        needed: Vec::new(),
        soname: None,
        rpath: None,
        runpath: None,
        no_default_directories: false,
        imports: HashSet::new(),
        suggestions: Vec::new(),
    };
    let mut dynamic: &[E::Dyn] = &[];
    for segment in segments {
        if let Some(path) = segment.interpreter(endian, data).map_err(broken)? {
            object.interpreter = Some(path.to_vec());
        }
        // A file with its symbols split off has headers of segments that it does not have.
        if segment.p_type(endian).0 == PT_DYNAMIC && segment.p_filesz(endian).into() > 0 {
            dynamic = segment.dynamic(endian, data).map_err(broken)?.unwrap_or(&[]);
        }
        if let Ok(Some(mut notes)) = segment.notes(endian, data) {
            // What follows a broken note cannot be told from it.
            while let Ok(Some(note)) = notes.next() {
                if note.n_type(endian).0 == NOTE_DLOPEN && note.name() == b"FDO" {
                    object.suggestions.extend(suggestions(note.desc()));
                }
            }
        }
    }
    let mut values = Vec::new();
    let (mut table, mut size) = (None, 0);
    for entry in dynamic {
        let value = entry.val(endian);
        match entry.tag(endian).0 {
            DT_NULL => break,
            DT_STRTAB => table = Some(value),
            DT_STRSZ => size = value,
            DT_FLAGS_1 => object.no_default_directories = value & DF_1_NODEFLIB != 0,
            tag @ (DT_NEEDED | DT_SONAME | DT_RPATH | DT_RUNPATH) if values.len() < MOST_NEEDED => {
                values.push((tag, value));
            }
            _ => {}
        }
    }
    let Some(address) = table else {
        return Ok(object);
    };
    if size > MOST_NAMES {
        return Err(Malformed::Broken(format!(
            "its table of names has {size} bytes, at most {MOST_NAMES} are read"
        )));
    }
    let offset = segments.iter().find_map(|segment| {
        let start: u64 = segment.p_vaddr(endian).into();
        let length: u64 = segment.p_filesz(endian).into();
        let within = address.checked_sub(start).filter(|within| *within < length)?;
        let offset: u64 = segment.p_offset(endian).into();
        (segment.p_type(endian).0 == PT_LOAD).then(|| offset.checked_add(within))?
    });
    let names = offset
        .and_then(|offset| data.read_bytes_at(offset, size).ok())
        .ok_or_else(|| Malformed::Broken("its table of names is not in the file".to_owned()))?;
    for (tag, value) in values {
        let text = name_at(names, value)
            .ok_or_else(|| Malformed::Broken("a name is not in its table of names".to_owned()))?;
        match tag {
            DT_NEEDED => object.needed.push(text.to_vec()),
            DT_SONAME => object.soname = Some(text.to_vec()),
            DT_RPATH => object.rpath = Some(text.to_vec()),
            _ => object.runpath = Some(text.to_vec()),
        }
    }
    if object.runpath.is_some() {
        object.rpath = None;
    }
    // Symbols only say which rules apply: an object without headers of sections is loaded all the same.
    for section in header.section_headers(endian, data).unwrap_or(&[]) {
        if section.sh_type(endian).0 != SHT_DYNSYM {
            continue;
        }
        let symbols: &[E::Sym] = section.data_as_array(endian, data).unwrap_or(&[]);
        let undefined = symbols.iter().filter(|symbol| symbol.st_shndx(endian).0 == 0);
        object.imports.extend(
            undefined
                .filter_map(|symbol| name_at(names, u64::from(symbol.st_name(endian))))
                .filter(|name| !name.is_empty())
                .map(<[u8]>::to_vec),
        );
    }
    Ok(object)
}

/// The name that begins there.
fn name_at(names: &[u8], at: u64) -> Option<&[u8]> {
    let rest = names.get(usize::try_from(at).ok()?..)?;
    let end = memchr::memchr(0, rest)?;
    rest.get(..end)
}

/// The libraries of a note: a list of objects in JSON, ended by a NUL.
fn suggestions(text: &[u8]) -> Vec<Suggestion> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    if text.len() > LONGEST_NOTE {
        return Vec::new();
    }
    let list: Vec<serde_json::Value> = serde_json::from_slice(text).unwrap_or_default();
    let word = |entry: &serde_json::Value, key: &str| {
        entry
            .get(key)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    list.iter()
        .filter_map(|entry| {
            let sonames = entry.get("soname")?.as_array()?.iter();
            Some(Suggestion {
                sonames: sonames
                    .filter_map(|name| name.as_str().map(str::to_owned))
                    .collect(),
                feature: word(entry, "feature"),
                required: word(entry, "priority") == "required",
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_names_libraries() {
        let text = br#"[{"feature":"tpm","description":"x","priority":"required","soname":["libtss2-esys.so.0"]},{"soname":["a","b"]}]"#;
        let read = suggestions(text);
        assert_eq!(read.len(), 2);
        assert!(read[0].required && read[0].feature == "tpm" && read[0].sonames == ["libtss2-esys.so.0"]);
        assert!(!read[1].required && read[1].sonames == ["a", "b"]);
        for wrong in [&b"{}"[..], b"[1]", b"[{\"soname\":1}]", b""] {
            assert!(suggestions(wrong).is_empty());
        }
    }

    #[test]
    fn this_binary_and_what_is_none() {
        let own = std::fs::read("/proc/self/exe").unwrap();
        let object = Object::read(own.as_slice()).unwrap();
        assert!(object.loadable);
        assert_eq!(
            object.machine.bits,
            if cfg!(target_pointer_width = "64") { 64 } else { 32 }
        );
        assert_eq!(Object::read(&b"#!/bin/sh\n"[..]), Err(Malformed::NotElf));
        assert_eq!(Object::read(&b""[..]), Err(Malformed::NotElf));
        assert!(matches!(Object::read(&own[..60]), Err(Malformed::Broken(_))));
    }
}
