//! The table `posix`, as rpm's own has it (rpm's rpmio/lposix.c): 0 or what was asked for on success, and on failure nil, the
//! words for it and errno.

mod files;
mod mode;
mod people;
mod process;

use super::host::Native;

/// All functions, by name.
pub(super) const FUNCTIONS: &[(&str, Native)] = &[
    ("access", files::access),
    ("chdir", process::chdir),
    ("chmod", files::chmod),
    ("chown", files::chown),
    ("ctermid", process::ctermid),
    ("dir", files::dir),
    ("errno", process::errno),
    ("exec", process::exec),
    ("files", files::dir),
    ("fork", process::fork),
    ("getcwd", process::getcwd),
    ("getenv", process::getenv),
    ("getgroup", process::getgroup),
    ("getlogin", process::getlogin),
    ("getpasswd", process::getpasswd),
    ("getprocessid", process::getprocessid),
    ("kill", process::kill),
    ("link", files::link),
    ("mkdir", files::mkdir),
    ("mkfifo", files::mkfifo),
    ("mkstemp", files::mkstemp),
    ("pathconf", files::pathconf),
    ("putenv", process::putenv),
    ("readlink", files::readlink),
    ("redirect2null", process::redirect2null),
    ("rmdir", files::rmdir),
    ("setenv", process::setenv),
    ("setgid", process::setgid),
    ("setuid", process::setuid),
    ("sleep", process::sleep),
    ("stat", files::stat),
    ("symlink", files::symlink),
    ("sysconf", process::sysconf),
    ("times", process::times),
    ("ttyname", process::ttyname),
    ("umask", process::umask),
    ("uname", process::uname),
    ("unlink", files::unlink),
    ("unsetenv", process::unsetenv),
    ("utime", files::utime),
    ("wait", process::wait),
];
