//! A tree as an archive has it.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;

use bareroot_model::Digest;
use sha2::Digest as _;
use tar::EntryType;

use super::{Entry, Tree, TreeOptions, Type};

impl Tree {
    /// Lists a tar archive whose names begin with `./`, and gives its paths in their order too. Times are those that the
    /// archive has, to the second where it has no more.
    ///
    /// # Errors
    ///
    /// For what is no such archive: a path that comes twice, a link to a path that has not come, an unknown type.
    pub fn from_tar(archive: impl Read, options: &TreeOptions) -> io::Result<(Tree, Vec<PathBuf>)> {
        let mut tree = Tree::default();
        let mut order = Vec::new();
        for entry in tar::Archive::new(archive).entries()? {
            let mut entry = entry?;
            let name = entry.path()?.into_owned();
            let wrong = |what: &str| io::Error::other(format!("{}: {what}", name.display()));
            let path = |name: &std::path::Path| name.strip_prefix(".").map(std::path::Path::to_path_buf);
            let own = path(&name).map_err(|_| wrong("a name without `./`"))?;
            let described = match entry.link_name()? {
                Some(first) if entry.header().entry_type() == EntryType::Link => {
                    let first = path(&first).map_err(|_| wrong("a link without `./`"))?;
                    let twin = tree
                        .entries
                        .get_mut(&first)
                        .ok_or_else(|| wrong("a link to nothing"))?;
                    twin.hardlink = Some(first);
                    twin.clone()
                }
                _ => describe(&mut entry, options).map_err(|error| wrong(&error.to_string()))?,
            };
            order.push(own.clone());
            if tree.entries.insert(own, described).is_some() {
                return Err(wrong("it comes twice"));
            }
        }
        Ok((tree, order))
    }
}

fn describe<R: Read>(entry: &mut tar::Entry<'_, R>, options: &TreeOptions) -> io::Result<Entry> {
    let header = entry.header().clone();
    let kind = match header.entry_type() {
        EntryType::Regular => Type::File,
        EntryType::Directory => Type::Directory,
        EntryType::Symlink => Type::Symlink,
        EntryType::Char => Type::Char,
        EntryType::Block => Type::Block,
        EntryType::Fifo => Type::Fifo,
        other => return Err(io::Error::other(format!("of type {other:?}"))),
    };
    let mut xattrs = BTreeMap::new();
    let mut mtime = (i64::try_from(header.mtime()?).map_err(io::Error::other)?, 0);
    let (mut uid, mut gid) = (header.uid()?, header.gid()?);
    for record in entry.pax_extensions()?.into_iter().flatten() {
        let record = record?;
        let (key, value) = (record.key().map_err(io::Error::other)?, record.value_bytes());
        let text = || std::str::from_utf8(value).map_err(io::Error::other);
        match key.strip_prefix("SCHILY.xattr.") {
            Some(name) => {
                let name = name.replace("%3D", "=").replace("%25", "%");
                xattrs.insert(name.into_bytes(), value.to_vec());
            }
            None if key == "mtime" => {
                mtime = time(text()?).ok_or_else(|| io::Error::other("a strange time"))?
            }
            None if key == "uid" => uid = text()?.parse().map_err(io::Error::other)?,
            None if key == "gid" => gid = text()?.parse().map_err(io::Error::other)?,
            None => {}
        }
    }
    let is_device = matches!(kind, Type::Char | Type::Block);
    // Those fields may be empty where there is no device.
    let device = match is_device {
        true => header.device_major()?.zip(header.device_minor()?),
        false => None,
    };
    let link = entry.link_name()?.filter(|_| kind == Type::Symlink);
    let link = link.map(|link| link.into_owned());
    let size = if kind == Type::File { entry.size() } else { 0 };
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match entry.read(&mut buffer)? {
            0 => break,
            read => hasher.update(buffer.get(..read).unwrap_or_default()),
        }
    }
    Ok(Entry {
        kind,
        mode: header.mode()?,
        uid: u32::try_from(uid).map_err(io::Error::other)?,
        gid: u32::try_from(gid).map_err(io::Error::other)?,
        size,
        link,
        hardlink: None,
        device,
        xattrs: if options.xattrs { xattrs } else { BTreeMap::new() },
        mtime: options.mtime.then_some(mtime),
        content: (options.content && kind == Type::File).then(|| Digest::new(hasher.finalize().into())),
    })
}

/// Seconds and nanoseconds of a decimal number.
fn time(text: &str) -> Option<(i64, i64)> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let nanoseconds: i128 = format!("{fraction:0<9}").parse().ok()?;
    let total = sign * (seconds.parse::<i128>().ok()? * 1_000_000_000 + nanoseconds);
    let part = |number: i128| i64::try_from(number).ok();
    Some((
        part(total.div_euclid(1_000_000_000))?,
        part(total.rem_euclid(1_000_000_000))?,
    ))
}

#[cfg(test)]
mod tests {
    #[test]
    fn decimal_times() {
        for (text, expected) in [
            ("12", (12, 0)),
            ("1.5", (1, 500_000_000)),
            ("-1.5", (-2, 500_000_000)),
            ("-5", (-5, 0)),
            ("0.000000001", (0, 1)),
        ] {
            assert_eq!(super::time(text), Some(expected), "{text}");
        }
        assert_eq!(super::time("x"), None);
    }
}
