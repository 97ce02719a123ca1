//! Headers made of their entries, for tests of what is read from headers alone.

use bareroot_rpm::{DependencyKind, Header, Limits, MAGIC, Tag};

/// A header in the making. Arrays grow an element at a time.
#[derive(Default)]
pub struct Builder {
    entries: Vec<(Tag, Value)>,
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
        for (tag, text) in [(Tag::NAME, name), (Tag::VERSION, "1"), (Tag::RELEASE, "1")] {
            builder.text(tag, text);
        }
        builder
    }

    fn value(&mut self, tag: Tag, empty: fn() -> Value) -> &mut Value {
        let place = self.entries.iter().position(|(own, _)| *own == tag);
        let place = place.unwrap_or_else(|| {
            self.entries.push((tag, empty()));
            self.entries.len() - 1
        });
        &mut self.entries[place].1
    }

    pub fn text(&mut self, tag: Tag, text: &str) {
        *self.value(tag, || Value::Text(String::new())) = Value::Text(text.to_owned());
    }

    /// Adds an element; gives its place.
    pub fn string(&mut self, tag: Tag, text: &str) -> u32 {
        match self.value(tag, || Value::Strings(Vec::new())) {
            Value::Strings(list) => {
                list.push(text.to_owned());
                list.len() as u32 - 1
            }
            _ => panic!("{tag} is no array of strings"),
        }
    }

    /// Adds an element; gives its place.
    pub fn word(&mut self, tag: Tag, word: u32) -> u32 {
        match self.value(tag, || Value::Words(Vec::new())) {
            Value::Words(list) => {
                list.push(word);
                list.len() as u32 - 1
            }
            _ => panic!("{tag} is no array of numbers"),
        }
    }

    fn short(&mut self, tag: Tag, word: u16) {
        match self.value(tag, || Value::Shorts(Vec::new())) {
            Value::Shorts(list) => list.push(word),
            _ => panic!("{tag} is no array of short numbers"),
        }
    }

    pub fn dependency(&mut self, kind: DependencyKind, sense: u32, evr: &str, name: &str) {
        let [names, flags, versions] = kind.tags();
        self.string(names, name);
        self.word(flags, sense);
        self.string(versions, evr);
    }

    /// A file, and which dependencies are its, by the words of rpm's dictionary.
    pub fn file(&mut self, mode: u16, color: u32, directory: &str, name: &str, depends: &[u32]) {
        let place = self.string(Tag::DIRNAMES, directory);
        self.word(Tag::DIRINDEXES, place);
        self.string(Tag::BASENAMES, name);
        self.string(Tag::FILELINKTOS, "");
        self.short(Tag::FILEMODES, mode);
        self.word(Tag::FILECOLORS, color);
        let mut start = 0;
        for (number, word) in depends.iter().enumerate() {
            let place = self.word(Tag::DEPENDSDICT, *word);
            if number == 0 {
                start = place;
            }
        }
        self.word(Tag::FILEDEPENDSX, start);
        self.word(Tag::FILEDEPENDSN, depends.len() as u32);
    }

    pub fn build(mut self) -> Header {
        self.entries.sort_by_key(|(tag, _)| tag.0);
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
            entry(tag.0, kind, at, count as u32);
        }
        let mut region = Vec::new();
        for word in [Tag::HEADERIMMUTABLE.0, 7, data.len() as u32, 16] {
            region.extend(word.to_be_bytes());
        }
        for word in [Tag::HEADERIMMUTABLE.0, 7, 0u32.wrapping_sub(count * 16), 16] {
            data.extend(word.to_be_bytes());
        }
        let mut bytes = MAGIC.to_vec();
        bytes.extend(count.to_be_bytes());
        bytes.extend((data.len() as u32).to_be_bytes());
        bytes.extend(region);
        bytes.extend(index);
        bytes.extend(data);
        Header::parse("made", bytes, Tag::HEADERIMMUTABLE, &Limits::default()).expect("a header")
    }
}
