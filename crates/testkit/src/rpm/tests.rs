use super::*;

#[test]
fn what_is_said_is_written() {
    let rpm = RpmBuilder::new("a", "1:2~rc1-3", "noarch");
    assert_eq!(rpm.file_name(), "a-2~rc1-3.noarch.rpm");
    let built = rpm
        .item(Item::file("/etc/a", "x"))
        .item(Item::hardlink("/etc/b", "/etc/a"))
        .built();
    let (begin, _) = built.header;
    assert_eq!(begin % 8, 0);
    assert_eq!(&built.bytes[begin..begin + 4], b"\x8e\xad\xe8\x01");
    assert_eq!(&built.bytes[..4], b"\xed\xab\xee\xdb");
}

#[test]
fn the_last_name_has_the_content() {
    let rpm = RpmBuilder::new("a", "1-1", "noarch")
        .item(Item::file("/a", "x"))
        .item(Item::hardlink("/c", "/a"))
        .item(Item::file("/b", "y"));
    let records = records(&rpm.sorted());
    let seen: Vec<_> = records
        .iter()
        .map(|record| (record.name.as_slice(), record.links, record.content.as_slice()))
        .collect();
    assert_eq!(
        seen,
        [
            (b"./a".as_slice(), 2, b"".as_slice()),
            (b"./b", 1, b"y"),
            (b"./c", 2, b"x")
        ]
    );
}

#[test]
fn every_lie_can_be_told() {
    let honest = RpmBuilder::new("a", "1-1", "noarch").item(Item::file("/a", "x"));
    let lies = [
        honest.clone().on_header(|entries| drop(entries.remove(&1000))),
        honest.clone().on_header_bytes(|bytes| bytes[15] ^= 1),
        honest
            .clone()
            .on_records(|records| records[0].name = b"./b".to_vec()),
        honest.clone().on_archive(|bytes| bytes.truncate(9)),
        honest.clone().on_payload(|bytes| bytes.truncate(9)),
        honest.clone().on_signature(|entries| drop(entries.remove(&273))),
        honest.clone().on_file(|bytes| bytes.truncate(99)),
        honest.clone().signatures(Vec::new()),
        honest.clone().form(Form::Stripped),
    ];
    for lie in lies {
        assert_ne!(lie.build(), honest.build());
    }
    assert_eq!(honest.build(), honest.clone().build());
}
