//! What makes a copy a system of its own: state that names the machine it came from, that must not be had twice, or that is
//! of no use to another.

/// What is done with what a rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is left out, a directory with all that is in it.
    Leave,
    /// It is left out, unless it is a directory.
    LeaveFiles,
    /// The file stays, without its content.
    Empty,
}

/// A rule, and why there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it is for.
    pub glob: &'static str,
    /// What it does.
    pub act: Act,
    /// Why, as the end of a sentence.
    pub reason: &'static str,
}

const IDENTITY: &str = "it names the machine (machine-id(5)); an empty file is filled at the next boot";
const DBUS: &str = "it names the machine; dbus makes it of /etc/machine-id";
const HOST_KEY: &str =
    "a host key that two hosts share proves nothing; `ssh-keygen -A` or the service makes others";
const LOG: &str = "it tells of the machine that was copied; its directory stays, as services need it";
const SEED: &str = "two machines that begin with one random seed draw the same numbers";
const SECRET: &str = "it is a secret of the machine that was copied, and is made when it is missing";
const CACHE: &str = "it can be fetched or made again";
const LEASE: &str = "an address that is leased to the machine that was copied";
const RUNTIME: &str = "it belongs to programs that run on the machine that was copied";
const INITIATOR: &str = "two initiators of one name take each other's storage";
const FIRST_BOOT: &str = "cloud-init takes the copy for a machine that it has set up";
const HARDWARE: &str = "it ties names to the hardware of the machine that was copied";
const CRASH: &str = "a crash of the machine that was copied";

macro_rules! rules {
    ($($glob:literal $act:ident $reason:ident;)*) => {
        &[$(Rule { glob: $glob, act: Act::$act, reason: $reason }),*]
    };
}

/// The rules; of those that match a path the first counts.
pub const RULES: &[Rule] = rules![
    "/etc/machine-id" Empty IDENTITY;
    "/var/lib/dbus/machine-id" Leave DBUS;
    "/etc/ssh/ssh_host_*_key" Leave HOST_KEY;
    "/etc/ssh/ssh_host_*_key.pub" Leave HOST_KEY;
    "/etc/ssh/ssh_host_*_key-cert.pub" Leave HOST_KEY;
    "/etc/dropbear/dropbear_*_host_key" Leave HOST_KEY;
    "/var/log/wtmp" Empty LOG;
    "/var/log/btmp" Empty LOG;
    "/var/log/lastlog" Empty LOG;
    "/var/log/faillog" Empty LOG;
    "/var/log/journal/*" Leave LOG;
    "/var/log/**" LeaveFiles LOG;
    "/var/lib/wtmpdb/wtmp.db" Leave LOG;
    "/var/lib/lastlog/lastlog2.db" Leave LOG;
    "/var/lib/systemd/random-seed" Leave SEED;
    "/var/lib/urandom/random-seed" Leave SEED;
    "/var/lib/random-seed" Leave SEED;
    "/boot/loader/random-seed" Leave SEED;
    "/boot/efi/loader/random-seed" Leave SEED;
    "/efi/loader/random-seed" Leave SEED;
    "/var/lib/systemd/credential.secret" Leave SECRET;
    "/var/lib/NetworkManager/secret_key" Leave SECRET;
    "/var/cache/apt/archives/**" LeaveFiles CACHE;
    "/var/cache/apt/*.bin" Leave CACHE;
    "/var/lib/apt/lists/**" LeaveFiles CACHE;
    "/var/cache/dnf/*" Leave CACHE;
    "/var/cache/libdnf5/*" Leave CACHE;
    "/var/cache/yum/*" Leave CACHE;
    "/var/cache/zypp/*" Leave CACHE;
    "/var/cache/PackageKit/*" Leave CACHE;
    "/var/lib/dhcp/*" Leave LEASE;
    "/var/lib/dhclient/*" Leave LEASE;
    "/var/lib/dhcpcd/*" Leave LEASE;
    "/var/lib/NetworkManager/*.lease" Leave LEASE;
    "/var/lib/NetworkManager/internal-*" Leave LEASE;
    "/var/lib/systemd/network/*" Leave LEASE;
    "/etc/dhcpcd.duid" Leave LEASE;
    "/run/*" Leave RUNTIME;
    "/tmp/*" Leave RUNTIME;
    "/var/tmp/*" Leave RUNTIME;
    "/etc/iscsi/initiatorname.iscsi" Leave INITIATOR;
    "/etc/nvme/hostid" Leave INITIATOR;
    "/etc/nvme/hostnqn" Leave INITIATOR;
    "/var/lib/cloud/*" Leave FIRST_BOOT;
    "/etc/udev/rules.d/70-persistent-net.rules" Leave HARDWARE;
    "/var/crash/*" Leave CRASH;
    "/var/lib/systemd/coredump/*" Leave CRASH;
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_documented() {
        let text = include_str!("../../../docs/clone.md");
        for rule in RULES {
            let act = match rule.act {
                Act::Leave => "left out",
                Act::LeaveFiles => "left out, directories stay",
                Act::Empty => "emptied",
            };
            let row = format!("| `{}` | {act} | {} |\n", rule.glob, rule.reason);
            assert!(text.contains(&row), "docs/clone.md lacks {row}");
        }
        assert_eq!(
            text.lines().filter(|line| line.starts_with("| `")).count(),
            RULES.len()
        );
    }
}
