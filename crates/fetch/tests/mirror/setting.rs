use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bareroot_fetch::{Cache, Error, Fetcher, Location, NameFiles, Settings};
use bareroot_model::{Digest, Event, Recorder};
use bareroot_testkit::mirror::Mirror;
use bareroot_trust::{Blob, Expected, Trusted, Verified, Waiver};
use sha2::{Digest as _, Sha256};

pub const PATH: &str = "pool/main/h/hello/hello_1.0_amd64.deb";

/// A mirror, a cache, and somebody who is told.
pub struct Setting {
    pub mirror: Mirror,
    pub recorder: Arc<Recorder>,
    pub directory: tempfile::TempDir,
    pub settings: Settings,
}

/// Content that no two places of which are alike.
pub fn content(length: usize) -> Vec<u8> {
    let mut state = 0x1234_5678_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

pub fn digest(content: &[u8]) -> Digest {
    Digest::new(Sha256::digest(content).into())
}

pub fn expected(content: &[u8]) -> Trusted<Expected> {
    Trusted::waived(
        Expected::of(content.len() as u64, digest(content)),
        Waiver::new("a test"),
    )
}

pub fn bytes(blob: &Verified<Blob>) -> Vec<u8> {
    use std::io::Read;
    let mut bytes = Vec::new();
    blob.get().reader().read_to_end(&mut bytes).unwrap();
    bytes
}

impl Setting {
    pub fn new() -> Setting {
        let directory = tempfile::tempdir().unwrap();
        let recorder = Arc::<Recorder>::default();
        let settings = Settings {
            pause: Duration::from_millis(1),
            timeout: Duration::from_secs(10),
            cache: Some(Cache::open(directory.path().join("cache")).unwrap()),
            temporary: directory.path().to_owned(),
            names: NameFiles {
                hosts: "/nonexistent".into(),
                resolv_conf: "/nonexistent".into(),
            },
            observer: Arc::<Recorder>::clone(&recorder),
            ..Settings::default()
        };
        Setting {
            mirror: Mirror::start().unwrap(),
            recorder,
            directory,
            settings,
        }
    }

    /// With one file on the mirror.
    pub fn with(content: &[u8]) -> Setting {
        let setting = Setting::new();
        setting.mirror.put(PATH, content);
        setting
    }

    pub fn patience(mut self, timeout: Duration) -> Setting {
        self.settings.timeout = timeout;
        self
    }

    pub fn without_cache(mut self) -> Setting {
        self.settings.cache = None;
        self
    }

    pub fn fetcher(&self) -> Fetcher {
        Fetcher::new(self.settings.clone()).unwrap()
    }

    pub fn location(&self) -> Location {
        Location::new([self.mirror.url()], PATH)
    }

    pub fn fetch(&self, content: &[u8]) -> Result<Verified<Blob>, Error> {
        self.fetcher()
            .verified(&self.location(), expected(content), "hello")
    }

    pub fn fetch_from(&self, mirrors: &[String], content: &[u8]) -> Result<Verified<Blob>, Error> {
        self.fetcher()
            .verified(&Location::new(mirrors, PATH), expected(content), "hello")
    }

    /// The value of each request's Range header.
    pub fn ranges(&self) -> Vec<Option<String>> {
        self.mirror
            .requests()
            .iter()
            .map(|request| request.header("range").map(str::to_owned))
            .collect()
    }

    /// Where the cache keeps a file of this content.
    pub fn cached(&self, content: &[u8], suffix: &str) -> PathBuf {
        let name = digest(content).to_string();
        self.directory
            .path()
            .join("cache/v1/archives")
            .join(&name[..2])
            .join(format!("{name}{suffix}"))
    }

    /// Neither a file nor a part of this content is in the cache.
    pub fn assert_nothing_is_kept(&self, content: &[u8]) {
        assert!(!self.cached(content, "").exists());
        assert!(!self.cached(content, ".part").exists());
    }

    /// The bytes of all progress events so far.
    pub fn progress(&self) -> u64 {
        let events = self.recorder.take();
        events
            .iter()
            .map(|event| {
                if let Event::FetchProgress { bytes } = event {
                    *bytes
                } else {
                    0
                }
            })
            .sum()
    }
}
