use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::system_conf::parse_resolv_conf;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;

/// A lost datagram costs this, not the five seconds of resolv.conf(5): it is asked again, and more often.
const PATIENCE: Duration = Duration::from_secs(2);
const TRIES: usize = 4;

/// The files that say how host names become addresses: hosts(5) and resolv.conf(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameFiles {
    /// Names that are known without asking.
    pub hosts: PathBuf,
    /// The servers to ask.
    pub resolv_conf: PathBuf,
}

impl Default for NameFiles {
    fn default() -> Self {
        NameFiles {
            hosts: PathBuf::from("/etc/hosts"),
            resolv_conf: PathBuf::from("/etc/resolv.conf"),
        }
    }
}

/// Looks each name up once, whoever asks and however often.
#[derive(Debug)]
pub(super) struct Names {
    files: NameFiles,
    known: Mutex<HashMap<String, Arc<OnceCell<Vec<IpAddr>>>>>,
}

impl Names {
    pub(super) fn new(files: NameFiles) -> Arc<Names> {
        Arc::new(Names {
            files,
            known: Mutex::default(),
        })
    }
}

/// A host name with no address. Nothing else goes out of here.
#[derive(Debug, thiserror::Error)]
#[error("the name `{name}` does not resolve: {reason}")]
pub(super) struct Unknown {
    name: String,
    reason: String,
}

/// Gives the resolver to reqwest's clients, one for each lane.
pub(super) struct Shared(pub(super) Arc<Names>);

impl Resolve for Shared {
    fn resolve(&self, name: Name) -> Resolving {
        let names = Arc::clone(&self.0);
        Box::pin(async move {
            let name = name.as_str().to_ascii_lowercase();
            let cell = {
                let mut known = names
                    .known
                    .lock()
                    .unwrap_or_else(|poisoned| poisoned.into_inner());
                Arc::clone(known.entry(name.clone()).or_default())
            };
            // Of several lanes that ask for a name at once, one asks a server and the others wait; a failure is not kept.
            let addresses = cell
                .get_or_try_init(|| look_up(&name, &names.files))
                .await?
                .clone();
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

async fn look_up(name: &str, files: &NameFiles) -> Result<Vec<IpAddr>, Unknown> {
    let bare = name.trim_end_matches('.');
    let literal = bare
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(bare);
    if let Ok(address) = literal.parse() {
        return Ok(vec![address]);
    }
    // RFC 6761 6.3: such names never leave the machine.
    if bare == "localhost" || bare.ends_with(".localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let known = in_hosts(&std::fs::read(&files.hosts).unwrap_or_default(), bare);
    if !known.is_empty() {
        return Ok(known);
    }
    let unknown = |reason: String| Unknown {
        name: name.to_owned(),
        reason,
    };
    let (config, options) = servers(&files.resolv_conf).map_err(unknown)?;
    ask(config, options, name).await.map_err(unknown)
}

/// The addresses of a name in hosts(5).
fn in_hosts(text: &[u8], name: &str) -> Vec<IpAddr> {
    String::from_utf8_lossy(text)
        .lines()
        .filter_map(|line| {
            let mut words = line.split('#').next()?.split_whitespace();
            let address = words.next()?.parse().ok()?;
            words
                .any(|word| word.trim_end_matches('.').eq_ignore_ascii_case(name))
                .then_some(address)
        })
        .collect()
}

fn servers(resolv_conf: &Path) -> Result<(ResolverConfig, ResolverOpts), String> {
    let shown = resolv_conf.display();
    let text = std::fs::read(resolv_conf).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no `{shown}` to name a server"),
        _ => format!("cannot read `{shown}`: {error}"),
    })?;
    parse_resolv_conf(text).map_err(|error| format!("`{shown}`: {error}"))
}

async fn ask(config: ResolverConfig, mut options: ResolverOpts, name: &str) -> Result<Vec<IpAddr>, String> {
    options.ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
    options.use_hosts_file = ResolveHosts::Never;
    options.timeout = options.timeout.min(PATIENCE);
    options.attempts = options.attempts.max(TRIES);
    // A resolver belongs to the reactor that it is used on: each question gets its own.
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options;
    let resolver = builder.build().map_err(|error| error.to_string())?;
    let found = resolver
        .lookup_ip(name)
        .await
        .map_err(|error| match error.is_no_records_found() {
            // The error's own text shows its structure.
            true => "no name server knows an address of it".to_owned(),
            false => error.to_string(),
        })?;
    let addresses: Vec<IpAddr> = found.iter().collect();
    if addresses.is_empty() {
        Err("no name server knows an address of it".to_owned())
    } else {
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::config::{ConnectionConfig, NameServerConfig};
    use std::net::UdpSocket;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future)
    }

    fn nowhere() -> NameFiles {
        NameFiles {
            hosts: "/nonexistent/hosts".into(),
            resolv_conf: "/nonexistent/resolv.conf".into(),
        }
    }

    #[test]
    fn addresses_and_localhost_need_no_file() {
        for (name, wanted) in [
            ("192.0.2.7", vec!["192.0.2.7"]),
            ("[2001:db8::1]", vec!["2001:db8::1"]),
            ("localhost", vec!["127.0.0.1", "::1"]),
            ("a.localhost.", vec!["127.0.0.1", "::1"]),
        ] {
            let found: Vec<String> = run(look_up(name, &nowhere()))
                .unwrap()
                .iter()
                .map(IpAddr::to_string)
                .collect();
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn without_resolv_conf_no_server_is_asked() {
        let error = run(look_up("deb.example", &nowhere())).unwrap_err().to_string();
        assert_eq!(
            error,
            "the name `deb.example` does not resolve: there is no `/nonexistent/resolv.conf` to name a server"
        );
        let directory = tempfile::tempdir().unwrap();
        let empty = directory.path().join("resolv.conf");
        std::fs::write(&empty, "# none\nsearch example\n").unwrap();
        let error = run(look_up(
            "deb.example",
            &NameFiles {
                resolv_conf: empty,
                ..nowhere()
            },
        ))
        .unwrap_err();
        assert!(error.to_string().contains("no nameservers"), "{error}");
    }

    #[test]
    fn hosts_come_first() {
        let text = b"127.0.0.1 localhost\n192.0.2.1\tmirror.example Mirror # other.example\n2001:db8::2 mirror.example\nbad line\n";
        assert_eq!(in_hosts(text, "mirror.EXAMPLE").len(), 2);
        assert_eq!(in_hosts(text, "mirror").len(), 1);
        assert_eq!(in_hosts(text, "other.example").len(), 0);
    }

    /// A name server that knows every name as 192.0.2.5, or none, and loses the first datagrams.
    fn name_server(mut lost: usize, knows: bool) -> (ResolverConfig, ResolverOpts) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                if lost > 0 {
                    lost -= 1;
                    continue;
                }
                // RFC 1035 4.1: the header, the question as it came, and a record whose name points back to it.
                let name_end = 12 + question[12..length].iter().position(|&byte| byte == 0).unwrap() + 1;
                let found = knows && question[name_end..name_end + 2] == [0, 1];
                let code = if knows { 0 } else { 3 };
                let mut answer = question[..2].to_vec();
                answer.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(found), 0, 0, 0, 0]);
                answer.extend(&question[12..name_end + 4]);
                if found {
                    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 5]);
                }
                socket.send_to(&answer, from).unwrap();
            }
        });
        let mut connection = ConnectionConfig::udp();
        connection.port = address.port();
        let server = NameServerConfig::new(address.ip(), true, vec![connection]);
        let mut options = ResolverOpts::default();
        options.timeout = Duration::from_millis(200);
        (ResolverConfig::from_parts(None, vec![], vec![server]), options)
    }

    #[test]
    fn a_server_is_asked_again_when_a_datagram_is_lost() {
        let (config, options) = name_server(1, true);
        let found = run(ask(config, options, "deb.example")).unwrap();
        assert_eq!(found, ["192.0.2.5".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn an_unknown_name_and_a_silent_server_are_said_in_words() {
        let (config, options) = name_server(0, false);
        let error = run(ask(config, options, "deb.example")).unwrap_err();
        assert_eq!(error, "no name server knows an address of it");
        let (config, options) = name_server(usize::MAX, true);
        let error = run(ask(config, options, "deb.example")).unwrap_err();
        assert!(error.contains("timed out"), "{error}");
    }
}
