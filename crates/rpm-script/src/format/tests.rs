use bareroot_rpm::Tag;

use super::*;

/// The elements of an entry.
enum Data {
    Text(&'static str),
    Texts(&'static [&'static str]),
    Numbers(&'static [u32]),
    Shorts(&'static [u16]),
    Bytes(&'static [u8]),
}

/// A header of these entries, in the form of rpm's database.
fn header(entries: &[(Tag, Data)]) -> Header {
    let (mut index, mut store) = (Vec::new(), Vec::new());
    for (tag, data) in entries {
        let (kind, count, align, bytes): (u32, usize, usize, Vec<u8>) = match data {
            Data::Text(text) => (6, 1, 1, [text.as_bytes(), b"\0"].concat()),
            Data::Texts(texts) => {
                let bytes = texts.iter().flat_map(|text| [text.as_bytes(), b"\0"].concat());
                (8, texts.len(), 1, bytes.collect())
            }
            Data::Numbers(numbers) => {
                let bytes = numbers.iter().flat_map(|number| number.to_be_bytes());
                (4, numbers.len(), 4, bytes.collect())
            }
            Data::Shorts(numbers) => {
                let bytes = numbers.iter().flat_map(|number| number.to_be_bytes());
                (3, numbers.len(), 2, bytes.collect())
            }
            Data::Bytes(bytes) => (7, bytes.len(), 1, bytes.to_vec()),
        };
        store.resize(store.len().next_multiple_of(align), 0);
        for word in [tag.0, kind, store.len() as u32, count as u32] {
            index.extend(word.to_be_bytes());
        }
        store.extend(bytes);
    }
    let count = entries.len() as u32 + 1;
    // The region: its entry comes first, its trailer is the last of the data and says how many entries it has.
    let region = |offset: u32| [63, 7, offset, 16].map(u32::to_be_bytes).concat();
    let first = region(store.len() as u32);
    store.extend(region((count * 16).wrapping_neg()));
    let lengths = [count, store.len() as u32].map(u32::to_be_bytes).concat();
    bareroot_rpm::blob::parse("test", &[lengths, first, index, store].concat()).unwrap()
}

fn sample() -> Header {
    header(&[
        (Tag::NAME, Data::Text("pt-lua")),
        (Tag::VERSION, Data::Text("1")),
        (Tag::RELEASE, Data::Text("2")),
        (Tag::BUILDTIME, Data::Numbers(&[1_795_646_075])),
        (Tag::SIZE, Data::Numbers(&[123_456])),
        (Tag::ARCH, Data::Text("noarch")),
        (Tag::FILEMODES, Data::Shorts(&[0o100_644, 0o104_755, 0o041_777])),
        (Tag::FILEFLAGS, Data::Numbers(&[1, 64, 0])),
        (Tag::PROVIDENAME, Data::Texts(&["pt-lua", "it's"])),
        (Tag::REQUIRENAME, Data::Texts(&["a", "b", "c"])),
        (Tag::PROVIDEFLAGS, Data::Numbers(&[8, 12])),
        (Tag::PROVIDEVERSION, Data::Texts(&["1-2", "3"])),
        (Tag::DIRINDEXES, Data::Numbers(&[0, 0, 1])),
        (Tag::BASENAMES, Data::Texts(&["a", "b", "c"])),
        (Tag::DIRNAMES, Data::Texts(&["/etc/", "/usr/"])),
        (Tag(261), Data::Bytes(&[0xbe, 0x07, 0x96])),
    ])
}

fn filled(text: &str) -> Result<String, String> {
    let out = format(&sample(), text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

/// Formats and what `rpm -q --qf` of rpm 4.18 makes of them, on a package like the one above.
#[test]
fn tags_are_filled_in_as_by_rpm() {
    for (text, expected) in [
        ("%{NAME}", "pt-lua"),
        ("%{name}", "pt-lua"),
        ("%{RPMTAG_NAME}", "pt-lua"),
        ("%-10{NAME}|", "pt-lua    |"),
        ("%10{NAME}|", "    pt-lua|"),
        ("%07{SIZE}|", " 123456|"),
        ("%{EPOCH}", "(none)"),
        ("%{BUILDTIME:date}", "Wed Nov 25 22:34:35 2026"),
        ("%{BUILDTIME:day}", "Wed Nov 25 2026"),
        ("%{BUILDTIME:hex}", "6b07627b"),
        ("%{BUILDTIME:octal}", "15301661173"),
        ("%{NAME:date}", "(not a number)"),
        ("%{NAME:shescape}", "'pt-lua'"),
        ("%{SIZE:shescape}", "123456"),
        ("[%{PROVIDENAME:shescape} ]", "'pt-lua' 'it'\\''s' "),
        (
            "[%{PROVIDENAME} %{PROVIDEFLAGS:depflags} %{PROVIDEVERSION}\\n]",
            "pt-lua = 1-2\nit's >= 3\n",
        ),
        ("[%{=NAME} %{PROVIDENAME}\\n]", "pt-lua pt-lua\npt-lua it's\n"),
        ("%{PROVIDENAME}", "pt-lua"),
        ("[%{FILENAMES}\\n]", "/etc/a\n/etc/b\n/usr/c\n"),
        (
            "[%{FILEMODES:perms} %{FILEFLAGS:fflags} %{FILEMODES:octal}\\n]",
            "-rw-r--r-- c 100644\n-rwsr-xr-x g 104755\ndrwxrwxrwt  41777\n",
        ),
        ("%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}", "1"),
        ("%|EPOCH?{a}|b", "b"),
        ("%|NAME?{a}|b", "ab"),
        ("%|NAME?{%|EPOCH?{x}:{y}|}:{z}|", "y"),
        ("[%|PROVIDENAME?{%{PROVIDENAME}}:{}|\\n]", ""),
        ("\\x\\n\\t\\\\", "x\n\t\\"),
        ("%%", "%"),
        ("[abc]", ""),
        ("%{#PROVIDENAME}", "2"),
        ("%{PROVIDENAME:arraysize}", "2"),
        (
            "%{NEVRA} %{NVRA} %{EVR} %{NVR} %{NEVR}",
            "pt-lua-1-2.noarch pt-lua-1-2.noarch 1-2 pt-lua-1-2 pt-lua-1-2",
        ),
        ("%{EPOCHNUM}", "0"),
        ("%{LONGSIZE}", "123456"),
        ("[%{PROVIDENEVRS}\\n]", "pt-lua = 1-2\nit's >= 3\n"),
        ("%{PROVIDEFLAGS:base64}", "(not a blob)"),
        ("%{NAME:base64}", "(not a blob)"),
        ("%{SIGMD5}", "be0796"),
        ("%{SIGMD5:base64}", "vgeW\n"),
        ("%{NAME:tagnum}", "1000"),
        ("%{NEVRA:tagnum}", "5016"),
        ("%{V:tagname}", "Version"),
        ("%{EPOCH:arraysize}", "(none)"),
        ("%{SIZE:humansi} %{SIZE:humaniec}", "123K 121K"),
        ("%{ARCHSUFFIX}", ".noarch"),
        ("%{NAME:tagname}", "Name"),
        ("%{NAME:fflags}", "(not a number)"),
        ("%{=PROVIDENAME}", "pt-lua"),
    ] {
        assert_eq!(filled(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_no_format_is_refused_in_rpm_s_words() {
    for (text, expected) in [
        ("%{NOPE}", "unknown tag: \"NOPE\""),
        ("%{NAME:nope}", "unknown tag: \"NAME\""),
        ("%{BUILDTIME:date:hex}", "unknown tag: \"BUILDTIME\""),
        ("%|NOPE?{a}:{b}|", "unknown tag: \"NOPE\""),
        (
            "[%{PROVIDENAME} %{REQUIRENAME}\\n]",
            "array iterator used with different sized arrays",
        ),
        ("%", "missing { after %"),
        ("%{NAME", "missing } after %{"),
        ("%x{NAME}", "invalid field width"),
        ("%.3{NAME}|", "invalid field width"),
        ("[abc", "] expected at end of array"),
        ("a]", "unexpected ]"),
        ("a}", "unexpected }"),
        ("%|NAME?a", "{ expected after ? in expression"),
        ("%{}", "empty tag name"),
    ] {
        assert_eq!(
            filled(text),
            Err(format!("incorrect format: {expected}")),
            "{text}"
        );
    }
}

#[test]
fn what_would_become_too_much_is_refused() {
    assert!(filled(&"[".repeat(1000)).is_err());
    assert!(filled("%99999{NAME}").is_err());
    let wide = format!("[{}]", "%4000{REQUIRENAME}".repeat(4000));
    assert!(filled(&wide).is_err());
}
