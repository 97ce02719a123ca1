//! RPM headers made of their entries, for tests of what is read from headers alone. Tags are rpm's numbers.

const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0];
const REGION: u32 = 63;
const DIRINDEXES: u32 = 1116;
const BASENAMES: u32 = 1117;
const DIRNAMES: u32 = 1118;
const FILEMODES: u32 = 1030;
const FILELINKTOS: u32 = 1036;
const FILECOLORS: u32 = 1140;
const FILEDEPENDSX: u32 = 1143;
const FILEDEPENDSN: u32 = 1144;
const DEPENDSDICT: u32 = 1145;

/// A header in the making. Arrays grow an element at a time.
#[derive(Default)]
pub struct Builder {
    entries: Vec<(u32, Value)>,
}

enum Value {
    Text(String),
    Strings(Vec<String>),
    Words(Vec<u32>),
    Shorts(Vec<u16>),
}

impl Builder {
    /// A package of version 1-1.
    pub fn new(name: &str) -> Self {
        let mut builder = Builder::default();
        for (tag, text) in [(1000, name), (1001, "1"), (1002, "1")] {
            builder.text(tag, text);
        }
        builder
    }

    fn value(&mut self, tag: u32, empty: fn() -> Value) -> &mut Value {
        let place = self.entries.iter().position(|(own, _)| *own == tag);
        let place = place.unwrap_or_else(|| {
            self.entries.push((tag, empty()));
            self.entries.len() - 1
        });
        &mut self.entries[place].1
    }

    /// Sets an entry of one string.
    pub fn text(&mut self, tag: u32, text: &str) {
        *self.value(tag, || Value::Text(String::new())) = Value::Text(text.to_owned());
    }

    /// Adds an element; gives its place.
    pub fn string(&mut self, tag: u32, text: &str) -> u32 {
        match self.value(tag, || Value::Strings(Vec::new())) {
            Value::Strings(list) => {
                list.push(text.to_owned());
                list.len() as u32 - 1
            }
            _ => panic!("{tag} is no array of strings"),
        }
    }

    /// The place of an element that is added if it is not there.
    pub fn place_of(&mut self, tag: u32, text: &str) -> u32 {
        if let Value::Strings(list) = self.value(tag, || Value::Strings(Vec::new()))
            && let Some(place) = list.iter().position(|own| own == text)
        {
            return place as u32;
        }
        self.string(tag, text)
    }

    /// Adds an element; gives its place.
    pub fn word(&mut self, tag: u32, word: u32) -> u32 {
        match self.value(tag, || Value::Words(Vec::new())) {
            Value::Words(list) => {
                list.push(word);
                list.len() as u32 - 1
            }
            _ => panic!("{tag} is no array of numbers"),
        }
    }

    /// Adds an element of 16 bits.
    pub fn short(&mut self, tag: u32, word: u16) {
        match self.value(tag, || Value::Shorts(Vec::new())) {
            Value::Shorts(list) => list.push(word),
            _ => panic!("{tag} is no array of short numbers"),
        }
    }

    /// Adds a dependency to a list, which is by the tags of its names, flags and versions.
    pub fn dependency(&mut self, [names, flags, versions]: [u32; 3], sense: u32, evr: &str, name: &str) {
        self.string(names, name);
        self.word(flags, sense);
        self.string(versions, evr);
    }

    /// A file, and which dependencies are its, by the words of rpm's dictionary.
    pub fn file(&mut self, mode: u16, color: u32, directory: &str, name: &str, depends: &[u32]) {
        let place = self.string(DIRNAMES, directory);
        self.word(DIRINDEXES, place);
        self.string(BASENAMES, name);
        self.string(FILELINKTOS, "");
        self.short(FILEMODES, mode);
        self.word(FILECOLORS, color);
        let mut start = 0;
        for (number, word) in depends.iter().enumerate() {
            let place = self.word(DEPENDSDICT, *word);
            if number == 0 {
                start = place;
            }
        }
        self.word(FILEDEPENDSX, start);
        self.word(FILEDEPENDSN, depends.len() as u32);
    }

    /// The header's bytes, from its magic on.
    pub fn bytes(mut self) -> Vec<u8> {
        self.entries.sort_by_key(|(tag, _)| *tag);
        let (mut index, mut data) = (Vec::new(), Vec::new());
        let mut entry = |tag: u32, kind: u32, at: u32, count: u32| {
            for word in [tag, kind, at, count] {
                index.extend(word.to_be_bytes());
            }
        };
        let count = self.entries.len() as u32 + 1;
        for (tag, value) in &self.entries {
            let width = match value {
                Value::Words(_) => 4,
                Value::Shorts(_) => 2,
                _ => 1,
            };
            data.resize(data.len().next_multiple_of(width), 0);
            let at = data.len() as u32;
            let (kind, count) = match value {
                Value::Text(text) => {
                    data.extend(text.bytes().chain([0]));
                    (6, 1)
                }
                Value::Strings(list) => {
                    list.iter().for_each(|text| data.extend(text.bytes().chain([0])));
                    (8, list.len())
                }
                Value::Words(list) => {
                    list.iter().for_each(|word| data.extend(word.to_be_bytes()));
                    (4, list.len())
                }
                Value::Shorts(list) => {
                    list.iter().for_each(|word| data.extend(word.to_be_bytes()));
                    (3, list.len())
                }
            };
            entry(*tag, kind, at, count as u32);
        }
        let mut region = Vec::new();
        for word in [REGION, 7, data.len() as u32, 16] {
            region.extend(word.to_be_bytes());
        }
        for word in [REGION, 7, 0u32.wrapping_sub(count * 16), 16] {
            data.extend(word.to_be_bytes());
        }
        let mut bytes = MAGIC.to_vec();
        bytes.extend(count.to_be_bytes());
        bytes.extend((data.len() as u32).to_be_bytes());
        bytes.extend(region);
        bytes.extend(index);
        bytes.extend(data);
        bytes
    }
}
