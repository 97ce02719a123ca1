//! What yum 3, of EL7 and before, remembers of a package: a directory of small files each (yum's yum/rpmsack.py:
//! RPMDBAdditionalData, and yum/__init__.py: verifyTransaction). `yum autoremove` goes by the reasons in it, and `yum list` says
//! from which repository a package is. yum makes its history beside them itself.

use crate::state::{Reason, Transaction};

/// The directory of the packages' directories, without the first slash; all have the mode 0755, the files 0644.
pub const DIRECTORY: &str = "var/lib/yum/yumdb";

/// A file: its path below [`DIRECTORY`], and its content.
pub type File = (String, String);

/// The files of all packages.
pub fn files(transaction: &Transaction) -> Vec<File> {
    let mut files = Vec::new();
    for package in &transaction.packages {
        // As yum makes a name fit for a path.
        let name = package.name.replace(['/', '~'], "");
        let Some(first) = name.chars().next() else {
            continue;
        };
        let id = safe(&package.header_id);
        let rest = [&package.version, &package.release, &package.arch].map(|part| safe(part));
        let directory = format!("{first}/{id}-{name}-{}", rest.join("-"));
        let reason = match package.reason {
            Reason::User | Reason::Group => "user",
            Reason::Dependency | Reason::Weak => "dep",
        };
        let mut values = vec![
            ("checksum_data", package.sha256.as_str()),
            ("checksum_type", "sha256"),
            ("command_line", &transaction.command_line),
            ("reason", reason),
            ("releasever", &transaction.releasever),
        ];
        if !package.repository.starts_with('@') {
            values.push(("from_repo", &package.repository));
        }
        let path = |key| format!("{directory}/{key}");
        files.extend(
            values
                .into_iter()
                .map(|(key, value)| (path(key), value.to_owned())),
        );
    }
    files
}

/// A part of a path that stays one.
fn safe(text: &str) -> String {
    text.replace('/', "")
}
