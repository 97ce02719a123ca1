use std::fmt;

use reqwest::NoProxy;

use crate::Error;
use crate::location::without_credentials;

/// Which proxies are used: `http://`, `https://`, `socks4://`, `socks4a://`, `socks5://` or `socks5h://` URLs, with
/// credentials where the proxy wants them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `http:`.
    pub http: Option<String>,
    /// For `https:`.
    pub https: Option<String>,
    /// For what has none of its own.
    pub all: Option<String>,
    /// Hosts that are asked directly, as curl reads `no_proxy`: names with all that is below them, addresses, networks,
    /// `*`.
    pub none: String,
}

impl Proxies {
    /// From the environment: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, the last three in capitals too. (In
    /// a CGI, `HTTP_PROXY` is a header that a stranger sent.)
    pub fn from_env() -> Proxies {
        let read = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| std::env::var(name).ok())
                .filter(|value| !value.trim().is_empty())
        };
        Proxies {
            http: read(&["http_proxy"]),
            https: read(&["https_proxy", "HTTPS_PROXY"]),
            all: read(&["all_proxy", "ALL_PROXY"]),
            none: read(&["no_proxy", "NO_PROXY"]).unwrap_or_default(),
        }
    }

    /// Whether a proxy is itself spoken to over TLS.
    pub(super) fn need_tls(&self) -> bool {
        let secure = |proxy: &Option<String>| {
            proxy
                .as_deref()
                .and_then(|url| url.get(..6))
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
        };
        secure(&self.http) || secure(&self.https) || secure(&self.all)
    }

    pub(super) fn build(&self) -> Result<Vec<reqwest::Proxy>, Error> {
        let exceptions: Vec<&str> = self
            .none
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|entry| !entry.is_empty())
            .collect();
        // reqwest does not take it to mean addresses.
        if exceptions.contains(&"*") {
            return Ok(Vec::new());
        }
        let exceptions = exceptions.join(",");
        let one = |url: &Option<String>, make: fn(&str) -> reqwest::Result<reqwest::Proxy>| {
            let Some(url) = url.as_deref().map(str::trim) else {
                return Ok(None);
            };
            let wrong = |reason: &str| Error::Proxy {
                proxy: without_credentials(url),
                reason: reason.to_owned(),
            };
            if let Some((scheme, _)) = url.split_once("://") {
                let known = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
                if !known.contains(&scheme.to_ascii_lowercase().as_str()) {
                    return Err(wrong("expected http, https or a kind of socks"));
                }
            }
            let proxy = make(url).map_err(|_| wrong("it is not a URL"))?;
            Ok(Some(proxy.no_proxy(NoProxy::from_string(&exceptions))))
        };
        let proxies = [
            one(&self.http, |url| reqwest::Proxy::http(url))?,
            one(&self.https, |url| reqwest::Proxy::https(url))?,
            one(&self.all, |url| reqwest::Proxy::all(url))?,
        ];
        Ok(proxies.into_iter().flatten().collect())
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |proxy: &Option<String>| proxy.as_deref().map(without_credentials);
        f.debug_struct("Proxies")
            .field("http", &shown(&self.http))
            .field("https", &shown(&self.https))
            .field("all", &shown(&self.all))
            .field("none", &self.none)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_that_are_none_are_refused_without_showing_secrets() {
        for url in ["ftp://u:secret@p:1", "http://u:secret@", "http://u:secret@p:port"] {
            let proxies = Proxies {
                http: Some(url.into()),
                ..Proxies::default()
            };
            let error = proxies.build().unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
            assert!(!format!("{proxies:?}").contains("secret"));
        }
        let fine = Proxies {
            http: Some("p.example:3128".into()),
            all: Some("socks5h://p:1".into()),
            ..Proxies::default()
        };
        assert_eq!(fine.build().unwrap().len(), 2);
        assert!(!fine.need_tls());
        assert!(
            Proxies {
                all: Some("HTTPS://p".into()),
                ..Proxies::default()
            }
            .need_tls()
        );
    }
}
