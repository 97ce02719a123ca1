//! The program in the root: it does one step an argument.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, fchown, lchown};

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, StatxFlags, Uid};

pub fn main(args: Vec<OsString>) -> u8 {
    for step in args {
        let step = step.into_string().unwrap();
        if let Err(error) = act(&step) {
            println!("error {}", error.raw_os_error().unwrap_or(0));
        }
    }
    0
}

fn id(word: &str) -> Option<u32> {
    word.parse().ok()
}

fn ids(uid: &str, gid: &str) -> (Option<Uid>, Option<Gid>) {
    (id(uid).map(Uid::from_raw), id(gid).map(Gid::from_raw))
}

fn act(step: &str) -> io::Result<()> {
    match *step.split(' ').collect::<Vec<_>>().as_slice() {
        ["stat", path] => tell(&fs::metadata(path)?),
        ["lstat", path] => tell(&fs::symlink_metadata(path)?),
        ["fstat", path] => {
            let stat = rustix::fs::fstat(File::open(path)?)?;
            say(
                stat.st_uid,
                stat.st_gid,
                FileType::from_raw_mode(stat.st_mode),
                stat.st_rdev,
            );
        }
        ["fstatat", dir, name] => {
            let stat = rustix::fs::statat(File::open(dir)?, name, AtFlags::empty())?;
            say(
                stat.st_uid,
                stat.st_gid,
                FileType::from_raw_mode(stat.st_mode),
                stat.st_rdev,
            );
        }
        ["statx", path] => tell_statx(&rustix::fs::statx(
            CWD,
            path,
            AtFlags::empty(),
            StatxFlags::BASIC_STATS,
        )?),
        ["statx-empty", path] => {
            let file = File::open(path)?;
            tell_statx(&rustix::fs::statx(
                file,
                "",
                AtFlags::EMPTY_PATH,
                StatxFlags::BASIC_STATS,
            )?);
        }
        ["chown", path, uid, gid] => chown(path, id(uid), id(gid))?,
        ["lchown", path, uid, gid] => lchown(path, id(uid), id(gid))?,
        ["fchown", path, uid, gid] => fchown(File::open(path)?, id(uid), id(gid))?,
        ["fchownat", dir, name, uid, gid] => {
            let (uid, gid) = ids(uid, gid);
            rustix::fs::chownat(File::open(dir)?, name, uid, gid, AtFlags::empty())?;
        }
        ["fchownat-empty", path, uid, gid] => {
            let (uid, gid) = ids(uid, gid);
            rustix::fs::chownat(File::open(path)?, "", uid, gid, AtFlags::EMPTY_PATH)?;
        }
        ["chown-for-ever", path] => loop {
            chown(path, Some(1), Some(2))?;
        },
        ["mknod", path, kind, major, minor] => mknod(CWD, path, kind, major, minor)?,
        ["mknodat", dir, name, kind, major, minor] => mknod(File::open(dir)?, name, kind, major, minor)?,
        ["setuid-bits", path] => {
            fs::set_permissions(path, fs::Permissions::from_mode(0o4755))?;
            let before = fs::metadata(path)?.mode() & 0o7777;
            chown(path, Some(3), None)?;
            println!("{before:o} {:o}", fs::metadata(path)?.mode() & 0o7777);
        }
        ["rename", from, to] => fs::rename(from, to)?,
        ["remove", path] => fs::remove_file(path)?,
        ["create", path] => fs::write(path, "")?,
        ["cd", path] => std::env::set_current_dir(path)?,
        ["become", uid, gid] => {
            let uid = nix::unistd::Uid::from_raw(uid.parse().unwrap());
            let gid = nix::unistd::Gid::from_raw(gid.parse().unwrap());
            nix::unistd::setgroups(&[gid])?;
            nix::unistd::setresgid(gid, gid, gid)?;
            nix::unistd::setresuid(uid, uid, uid)?;
        }
        ["ids"] => println!("{}:{}", nix::unistd::getuid(), nix::unistd::getgid()),
        _ => panic!("{step} is no step"),
    }
    Ok(())
}

fn mknod(dir: impl std::os::fd::AsFd, name: &str, kind: &str, major: &str, minor: &str) -> io::Result<()> {
    let kind = match kind {
        "c" => FileType::CharacterDevice,
        "b" => FileType::BlockDevice,
        _ => FileType::Fifo,
    };
    let device = rustix::fs::makedev(major.parse().unwrap(), minor.parse().unwrap());
    Ok(rustix::fs::mknodat(
        dir,
        name,
        kind,
        Mode::from_raw_mode(0o666),
        device,
    )?)
}

fn tell(stat: &Metadata) {
    let kind = stat.file_type();
    let kind = match () {
        () if kind.is_char_device() => FileType::CharacterDevice,
        () if kind.is_block_device() => FileType::BlockDevice,
        () if kind.is_fifo() => FileType::Fifo,
        () if kind.is_symlink() => FileType::Symlink,
        () if kind.is_dir() => FileType::Directory,
        () => FileType::RegularFile,
    };
    say(stat.uid(), stat.gid(), kind, stat.rdev());
}

fn tell_statx(stat: &rustix::fs::Statx) {
    let device = rustix::fs::makedev(stat.stx_rdev_major, stat.stx_rdev_minor);
    say(
        stat.stx_uid,
        stat.stx_gid,
        FileType::from_raw_mode(stat.stx_mode.into()),
        device,
    );
}

fn say(uid: u32, gid: u32, kind: FileType, device: u64) {
    let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    let kind = match kind {
        FileType::CharacterDevice => format!("char {device}"),
        FileType::BlockDevice => format!("block {device}"),
        FileType::Fifo => "pipe".to_owned(),
        FileType::Symlink => "link".to_owned(),
        FileType::Directory => "directory".to_owned(),
        _ => "file".to_owned(),
    };
    println!("{uid}:{gid} {kind}");
}
