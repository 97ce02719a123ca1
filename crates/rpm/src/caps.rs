//! File capabilities: from their text (cap_from_text(3)) to the extended attribute (capabilities(7)).

/// The attribute's name.
pub const NAME: &[u8] = b"security.capability";

/// The capabilities, in the order of their numbers (linux/capability.h).
const CAPABILITIES: &[&str] = &[
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// The three sets of a capability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sets {
    effective: u64,
    permitted: u64,
    inheritable: u64,
}

/// The value of the attribute; `None` for a text that is none, or that leaves no capability.
pub fn attribute(text: &str) -> Option<Vec<u8>> {
    let sets = parse(text)?;
    if sets == Sets::default() {
        return None;
    }
    // VFS_CAP_REVISION_2, and whether the kernel raises the effective set: one bit for all capabilities.
    let magic: u32 = 0x0200_0000 | u32::from(sets.effective != 0);
    let mut value = magic.to_le_bytes().to_vec();
    for half in [0, 32] {
        for set in [sets.permitted, sets.inheritable] {
            value.extend_from_slice(&((set >> half) as u32).to_le_bytes());
        }
    }
    Some(value)
}

fn parse(text: &str) -> Option<Sets> {
    let mut sets = Sets::default();
    for clause in text.split_whitespace() {
        let names_end = clause.find(['=', '+', '-'])?;
        let (names, mut rest) = clause.split_at(names_end);
        let mut mask = 0u64;
        for name in names.split(',').filter(|name| !name.is_empty()) {
            let name = name.to_ascii_lowercase();
            mask |= match name.as_str() {
                "all" => every(),
                name => bit(name)?,
            };
        }
        if names.is_empty() {
            // `=ep`: all capabilities; other operators need names.
            if !rest.starts_with('=') {
                return None;
            }
            mask = every();
        }
        while let Some(operator) = rest.chars().next() {
            rest = rest.get(1..)?;
            let end = rest.find(['=', '+', '-']).unwrap_or(rest.len());
            let (flags, after) = rest.split_at(end);
            rest = after;
            if operator == '=' {
                sets.effective &= !mask;
                sets.permitted &= !mask;
                sets.inheritable &= !mask;
            }
            for flag in flags.chars() {
                let set = match flag {
                    'e' => &mut sets.effective,
                    'p' => &mut sets.permitted,
                    'i' => &mut sets.inheritable,
                    _ => return None,
                };
                match operator {
                    '-' => *set &= !mask,
                    _ => *set |= mask,
                }
            }
        }
    }
    Some(sets)
}

fn every() -> u64 {
    (1u64 << CAPABILITIES.len()) - 1
}

fn bit(name: &str) -> Option<u64> {
    let name = name.strip_prefix("cap_")?;
    let number = CAPABILITIES.iter().position(|known| *known == name)?;
    Some(1u64 << number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(magic: u32, words: [u32; 4]) -> Vec<u8> {
        let mut value = magic.to_le_bytes().to_vec();
        words.iter().for_each(|word| value.extend(word.to_le_bytes()));
        value
    }

    #[test]
    fn texts_become_attributes() {
        let net_raw = 1 << 13;
        for (text, wanted) in [
            ("cap_net_raw=p", Some(value(0x0200_0000, [net_raw, 0, 0, 0]))),
            ("cap_net_raw=ep", Some(value(0x0200_0001, [net_raw, 0, 0, 0]))),
            ("= cap_net_raw+p", Some(value(0x0200_0000, [net_raw, 0, 0, 0]))),
            (
                "cap_net_admin,cap_net_raw=ei",
                Some(value(0x0200_0001, [0, net_raw | 1 << 12, 0, 0])),
            ),
            ("cap_bpf=p", Some(value(0x0200_0000, [0, 0, 1 << 7, 0]))),
            ("cap_net_raw=p cap_net_raw-p", None),
            ("", None),
            ("cap_unheard_of=p", None),
            ("net_raw=p", None),
            ("cap_net_raw=x", None),
            ("cap_net_raw", None),
        ] {
            assert_eq!(attribute(text), wanted, "{text}");
        }
        assert_eq!(parse("=ep").map(|sets| sets.permitted), Some((1 << 41) - 1));
    }
}
