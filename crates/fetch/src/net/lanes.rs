use std::sync::{Arc, Mutex, MutexGuard};

use reqwest::redirect::Policy;
use reqwest::{Client, Proxy};
use rustls::ClientConfig;
use tokio::runtime::{Builder, Runtime};
use url::Url;

use super::names::{Names, Shared};
use super::{Roots, Watch, roots};
use crate::{Error, Settings};

/// A reactor on whatever thread uses it, with its own connections.
///
/// reqwest's blocking client has one reactor thread for all: every piece of a body crosses threads, and a wait for an
/// answer that never comes cannot be ended from outside. Here the thread that hashes is the thread that reads, and it
/// looks at the flag that stops the run.
pub(crate) struct Lane {
    runtime: Runtime,
    plain: Option<Client>,
    secure: Option<Client>,
    pub(super) common: Arc<Common>,
}

/// What all lanes share.
pub(crate) struct Common {
    pub(super) settings: Settings,
    pub(super) watch: Watch,
    proxies: Vec<Proxy>,
    proxies_need_tls: bool,
    names: Arc<Names>,
    tls: Mutex<Option<ClientConfig>>,
}

/// Lanes that are not in use, with their connections still open; the one used last comes first.
pub(crate) struct Lanes {
    idle: Mutex<Vec<Lane>>,
    common: Arc<Common>,
}

impl Lanes {
    pub(crate) fn new(settings: Settings) -> Result<Lanes, Error> {
        let common = Common {
            watch: Watch(settings.cancel.clone()),
            proxies: settings.proxies.build()?,
            proxies_need_tls: settings.proxies.need_tls(),
            names: Names::new(settings.names.clone()),
            tls: Mutex::new(None),
            settings,
        };
        Ok(Lanes {
            idle: Mutex::default(),
            common: Arc::new(common),
        })
    }

    /// Does something on a lane.
    pub(crate) fn with<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut Lane) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = self.idle().pop();
        let mut lane = match idle {
            Some(lane) => lane,
            None => Lane::new(Arc::clone(&self.common))?,
        };
        let result = work(&mut lane);
        self.idle().push(lane);
        result
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Lane>> {
        self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Lane {
    fn new(common: Arc<Common>) -> Result<Lane, Error> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(set_up)?;
        Ok(Lane {
            runtime,
            plain: None,
            secure: None,
            common,
        })
    }

    /// Runs a future to its end on this thread.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(async {
            // Connections that were closed while nobody looked are noticed before one of them is used.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            future.await
        })
    }

    /// The client for a URL. The one for https is made when the first https URL needs it: http works without any
    /// certificate authority.
    pub(super) fn client(&mut self, url: &Url) -> Result<Client, Error> {
        let common = &self.common;
        let secure = url.scheme() == "https" || common.proxies_need_tls;
        let place = if secure { &mut self.secure } else { &mut self.plain };
        if let Some(client) = place {
            return Ok(client.clone());
        }
        let tls = if secure {
            common.tls(url)?
        } else {
            roots::no_tls()?
        };
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(common.settings.user_agent.clone())
            .connect_timeout(common.settings.timeout)
            .redirect(Policy::none())
            .referer(false)
            .dns_resolver(Arc::new(Shared(Arc::clone(&common.names))))
            .no_proxy();
        for proxy in &common.proxies {
            builder = builder.proxy(proxy.clone());
        }
        let client = builder.build().map_err(set_up)?;
        *place = Some(client.clone());
        Ok(client)
    }
}

impl Common {
    fn tls(&self, url: &Url) -> Result<ClientConfig, Error> {
        let mut kept = self.tls.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(config) = kept.as_ref() {
            return Ok(config.clone());
        }
        let roots: &Roots = &self.settings.roots;
        Ok(kept.insert(roots.tls(url.as_str())?).clone())
    }
}

fn set_up(error: impl std::fmt::Display) -> Error {
    Error::SetUp {
        reason: error.to_string(),
    }
}
