use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bareroot_model::{Cancel, Null, Observer};

use crate::{Cache, NameFiles, Netrc, Proxies, Roots};

/// How a [`Fetcher`](crate::Fetcher) works. [`Settings::default`] reads nothing of its surroundings;
/// [`Settings::from_env`] takes what the environment says about proxies, credentials and certificates.
#[derive(Clone)]
pub struct Settings {
    /// Transfers at the same time.
    pub jobs: usize,
    /// How often a mirror is asked again after an error that may pass, with a growing pause before each time.
    pub retries: u32,
    /// The first such pause; each further one is twice as long.
    pub pause: Duration,
    /// How long a connection may take to come about, and then how long it may bring next to nothing. No pause that a
    /// server asks for (`Retry-After`) is longer either.
    pub timeout: Duration,
    /// Where files are kept between runs; without one they live as nameless temporary files.
    pub cache: Option<Cache>,
    /// Only the cache and local mirrors are used.
    pub offline: bool,
    /// Proxies.
    pub proxies: Proxies,
    /// Credentials by host.
    pub netrc: Netrc,
    /// Certificate authorities for https.
    pub roots: Roots,
    /// Where host names are looked up.
    pub names: NameFiles,
    /// Directory for nameless temporary files, used without a cache.
    pub temporary: PathBuf,
    /// What to say to servers.
    pub user_agent: String,
    /// The largest file that is taken where no index states a size, in bytes.
    pub limit: u64,
    /// Stops everything.
    pub cancel: Cancel,
    /// Who is told.
    pub observer: Arc<dyn Observer>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            jobs: 8,
            retries: 3,
            pause: Duration::from_millis(500),
            timeout: Duration::from_secs(30),
            cache: None,
            offline: false,
            proxies: Proxies::default(),
            netrc: Netrc::default(),
            roots: Roots::default(),
            names: NameFiles::default(),
            temporary: PathBuf::from("/tmp"),
            user_agent: concat!("bareroot/", env!("CARGO_PKG_VERSION")).to_owned(),
            limit: 8 << 30,
            cancel: Cancel::default(),
            observer: Arc::new(Null),
        }
    }
}

impl Settings {
    /// The defaults with what the environment says: `http_proxy` and its like, `NETRC` or `~/.netrc`, `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR`, `TMPDIR`.
    ///
    /// # Errors
    /// [`Error::Netrc`](crate::Error::Netrc) and [`Error::Read`](crate::Error::Read) for a netrc file that is broken, or
    /// that `NETRC` names and that cannot be read.
    pub fn from_env() -> Result<Settings, crate::Error> {
        Ok(Settings {
            proxies: Proxies::from_env(),
            netrc: Netrc::from_env()?,
            roots: Roots::from_env(),
            temporary: std::env::temp_dir(),
            ..Settings::default()
        })
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("jobs", &self.jobs)
            .field("retries", &self.retries)
            .field("timeout", &self.timeout)
            .field("cache", &self.cache)
            .field("offline", &self.offline)
            .field("proxies", &self.proxies)
            .finish_non_exhaustive()
    }
}
