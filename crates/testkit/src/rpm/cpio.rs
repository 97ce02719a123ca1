//! Payloads: cpio archives of the newc form, and rpm's stripped form of it.

/// The form of a payload's records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// `070701`: each record has a name and all that stat(2) knows.
    #[default]
    Newc,
    /// `07070X`: each record has the file's number in the header.
    Stripped,
}

/// One record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The file's number in the header.
    pub number: u32,
    /// The name, as it is written.
    pub name: Vec<u8>,
    /// Kind and permission bits.
    pub mode: u32,
    /// Inode: hard links share it.
    pub inode: u32,
    /// Names of the inode.
    pub links: u32,
    /// Modification time.
    pub mtime: u32,
    /// Major and minor number of a device.
    pub device: (u32, u32),
    /// The size that is written; the content's own if there is none.
    pub size: Option<u32>,
    /// The content; of a symbolic link, its text.
    pub content: Vec<u8>,
}

/// The archive of these records, with the trailer.
pub fn archive(records: &[Record], form: Form) -> Vec<u8> {
    let mut out = Vec::new();
    for record in records {
        write(&mut out, record, form);
    }
    let trailer = Record {
        name: b"TRAILER!!!".to_vec(),
        links: 1,
        ..Record::default()
    };
    write(&mut out, &trailer, Form::Newc);
    out
}

fn write(out: &mut Vec<u8>, record: &Record, form: Form) {
    match form {
        Form::Newc => {
            let fields = [
                record.inode,
                record.mode,
                0,
                0,
                record.links,
                record.mtime,
                record.size.unwrap_or(record.content.len() as u32),
                0,
                0,
                record.device.0,
                record.device.1,
                record.name.len() as u32 + 1,
                0,
            ];
            out.extend(b"070701");
            out.extend(
                fields
                    .iter()
                    .flat_map(|field| format!("{field:08x}").into_bytes()),
            );
            out.extend(&record.name);
            out.push(0);
        }
        Form::Stripped => out.extend(format!("07070X{:08x}", record.number).into_bytes()),
    }
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend(&record.content);
    out.resize(out.len().next_multiple_of(4), 0);
}
