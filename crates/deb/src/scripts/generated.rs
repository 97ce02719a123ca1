/// Whether a maintainer script consists of nothing but what debhelper generates for conffiles: `set -e`, calls of
/// `dpkg-maintscript-helper` (dpkg(1) is unpacked by then), `exit 0`, comments.
///
/// Such a script needs nothing that another package's configuring makes. Of any other script that is not known.
pub fn is_generated(script: &[u8]) -> bool {
    let mut lines = script.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let shell = lines
        .next()
        .is_some_and(|line| [&b"#!/bin/sh"[..], b"#! /bin/sh", b"#!/bin/sh -e"].contains(&line));
    shell
        && lines.all(|line| {
            let plain = !line.iter().any(|byte| b"|;&`<>()".contains(byte)) && !line.ends_with(b"\\");
            line.is_empty()
                || line.starts_with(b"#")
                || [&b"set -e"[..], b"exit 0"].contains(&line)
                || (line.starts_with(b"dpkg-maintscript-helper ") && plain)
        })
}

#[cfg(test)]
mod tests {
    use super::is_generated;

    #[test]
    fn only_what_debhelper_writes() {
        let generated = "#!/bin/sh\nset -e\n# Automatically added\n\
                         dpkg-maintscript-helper rm_conffile /etc/a 1.2\\~ -- \"$@\"\n\nexit 0\n";
        assert!(is_generated(generated.as_bytes()));
        for script in [
            "",
            "#!/usr/bin/perl\n",
            "#!/bin/sh\nset -e\nawk x\n",
            "#!/bin/sh\ndpkg-maintscript-helper rm_conffile /etc/a 1 -- \"$@\"; awk x\n",
            "#!/bin/sh\ndpkg-maintscript-helper rm_conffile $(awk x) 1 -- \"$@\"\n",
            "#!/bin/sh\nset -e\nif true; then exit 0; fi\n",
        ] {
            assert!(!is_generated(script.as_bytes()), "{script}");
        }
    }
}
