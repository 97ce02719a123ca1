/// Environment variables, as names and values.
pub type Variables = Vec<(String, String)>;

/// What every program that runs in the root gets, and nothing of the host's: no `LD_PRELOAD`, no `TMPDIR`, no locale
/// that the root may not have.
///
/// Questions are answered with their defaults and never asked again (debconf(7)); locale and search path are those
/// that mmdebstrap gives. `epoch` is `SOURCE_DATE_EPOCH`: passwd's tools, for one, take the day from it.
pub fn environment(epoch: Option<i64>) -> Variables {
    let fixed = [
        (
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ),
        ("HOME", "/root"),
        ("DEBIAN_FRONTEND", "noninteractive"),
        ("DEBCONF_NONINTERACTIVE_SEEN", "true"),
        ("LC_ALL", "C.UTF-8"),
        ("LANGUAGE", "C.UTF-8"),
        ("LANG", "C.UTF-8"),
    ];
    let epoch = epoch.map(|epoch| ("SOURCE_DATE_EPOCH".to_owned(), epoch.to_string()));
    fixed
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .chain(epoch)
        .collect()
}
