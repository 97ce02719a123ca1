use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{IF_RANGE, LOCATION, RANGE};
use reqwest::{Client, Response, StatusCode};
use url::Url;

use super::lanes::{Common, Lane};
use super::watch::Stop;
use crate::Error;
use crate::location::Credentials;

const REDIRECTIONS: usize = 10;

/// A body that is not wanted is read to its end up to this size, which keeps its connection.
const SMALL: u64 = 64 << 10;

/// Bytes that a body has to bring within the time that it may stall: less is no progress.
const LEAST: usize = 1 << 10;

/// What the layers of an HTTP client say of an error whose cause says it better.
const NOTHING: [&str; 4] = [
    "error trying to connect",
    "dns error",
    "error resolving DNS",
    "tcp connect error",
];

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) url: &'a Url,
    /// Those of the mirror's own URL.
    pub(crate) credentials: Option<&'a Credentials>,
    /// The first byte that is wanted.
    pub(crate) from: u64,
    /// The strong ETag of what came before it, where that is known.
    pub(crate) tag: Option<&'a str>,
}

/// An answer whose body has not been read.
#[derive(Debug)]
pub(crate) struct Opened {
    response: Response,
    timeout: Duration,
    shown: String,
}

impl Lane {
    /// Sends a request and follows its redirections. Any other status is for the caller to judge.
    pub(crate) fn open(&mut self, ask: Ask<'_>) -> Result<Opened, Error> {
        let mut url = ask.url.clone();
        let mut redirected = false;
        for _ in 0..=REDIRECTIONS {
            let client = self.client(&url)?;
            let common = Arc::clone(&self.common);
            let response = self.run(send(&common, &client, &url, ask, redirected))?;
            let Some(next) = redirection(&response, &url)? else {
                return Ok(Opened {
                    response,
                    timeout: common.settings.timeout,
                    shown: shown(&url),
                });
            };
            self.run(drain(&common, response));
            url = next;
            redirected = true;
        }
        Err(Error::Redirect {
            url: shown(ask.url),
            to: shown(&url),
            reason: "there are too many redirections",
        })
    }

    /// Hands a body over piece by piece, until its end, an error of either side, or a time in which next to nothing came.
    pub(crate) fn pour<E: From<Error>>(
        &self,
        opened: Opened,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Opened {
            mut response,
            timeout,
            shown,
        } = opened;
        let watch = &self.common.watch;
        let mut window = (Instant::now(), 0usize);
        self.run(async {
            loop {
                let piece = match watch.over(timeout, response.chunk()).await {
                    Ok(Ok(Some(piece))) => piece,
                    Ok(Ok(None)) => return Ok(()),
                    Ok(Err(error)) => {
                        return Err(Error::Transfer {
                            url: shown,
                            reason: reason(&error),
                        }
                        .into());
                    }
                    Err(stop) => return Err(stopped(stop, &shown, timeout).into()),
                };
                watch.0.check().map_err(Error::from)?;
                take(&piece)?;
                window.1 = window.1.saturating_add(piece.len());
                if window.0.elapsed() >= timeout {
                    if window.1 < LEAST {
                        return Err(stopped(Stop::Late, &shown, timeout).into());
                    }
                    window = (Instant::now(), 0);
                }
            }
        })
    }

    /// Reads the rest of an answer that is not wanted, where it is small.
    pub(crate) fn drain(&self, opened: Opened) {
        self.run(drain(&self.common, opened.response));
    }
}

impl Opened {
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Length of the body as announced.
    pub(crate) fn length(&self) -> Option<u64> {
        self.response.content_length()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The URL that answered in the end.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

async fn send(
    common: &Common,
    client: &Client,
    url: &Url,
    ask: Ask<'_>,
    redirected: bool,
) -> Result<Response, Error> {
    let mut again = true;
    loop {
        let mut request = client.get(url.clone());
        if let Some(found) = credentials(common, url, ask, redirected) {
            request = request.basic_auth(&found.user, Some(&found.password));
        }
        if ask.from > 0 {
            request = request.header(RANGE, format!("bytes={}-", ask.from));
            if let Some(tag) = ask.tag {
                request = request.header(IF_RANGE, tag);
            }
        }
        // One limit for the connection, one for the answer.
        let limit = common.settings.timeout.saturating_mul(2);
        match common.watch.over(limit, request.send()).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) if error.is_connect() || error.is_timeout() => {
                return Err(Error::Connect {
                    url: shown(url),
                    reason: reason(&error),
                });
            }
            // A server may close an idle connection at the very moment that it is used again.
            Ok(Err(_)) if again => again = false,
            Ok(Err(error)) => {
                return Err(Error::Transfer {
                    url: shown(url),
                    reason: reason(&error),
                });
            }
            Err(stop) => return Err(stopped(stop, &shown(url), limit)),
        }
    }
}

/// The mirror's own credentials go to its origin alone. Those of netrc go to the host that they are for; after a
/// redirection only over https, as otherwise whoever can forge an answer could ask for them in the clear.
fn credentials<'a>(common: &'a Common, url: &Url, ask: Ask<'a>, redirected: bool) -> Option<&'a Credentials> {
    if ask.credentials.is_some() && url.origin() == ask.url.origin() {
        return ask.credentials;
    }
    let netrc = &common.settings.netrc;
    let host = url.host_str()?;
    match redirected && url.origin() != ask.url.origin() {
        false => netrc.of(host).or(netrc.of_any()),
        true => netrc.of(host).filter(|_| url.scheme() == "https"),
    }
}

/// Where an answer redirects to, if it does.
fn redirection(response: &Response, url: &Url) -> Result<Option<Url>, Error> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.headers().get(LOCATION) else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(location.as_bytes());
    let refused = |to: String, reason| Error::Redirect {
        url: shown(url),
        to,
        reason,
    };
    let mut next = url.join(&text).map_err(|_| {
        refused(
            crate::without_credentials(&text).escape_default().to_string(),
            "it is no URL",
        )
    })?;
    // They fail for URLs without a host, which are refused below.
    let _ = next.set_username("");
    let _ = next.set_password(None);
    next.set_fragment(None);
    match (url.scheme(), next.scheme()) {
        (_, "https") | ("http", "http") => Ok(Some(next)),
        ("https", "http") => Err(refused(shown(&next), "https is not left for http")),
        _ => Err(refused(shown(&next), "only http and https are followed")),
    }
}

async fn drain(common: &Common, mut response: Response) {
    if response.content_length().is_some_and(|length| length <= SMALL) {
        // It is not wanted: whatever goes wrong with it costs the connection and nothing else.
        let rest = async { while let Ok(Some(_)) = response.chunk().await {} };
        let _ = common.watch.over(Duration::from_secs(1), rest).await;
    }
}

fn stopped(stop: Stop, url: &str, seconds: Duration) -> Error {
    match stop {
        Stop::Cancelled(cancelled) => Error::Cancelled(cancelled),
        Stop::Late => Error::Stalled {
            url: url.to_owned(),
            seconds,
        },
    }
}

/// A URL as it may be shown: what a redirection appends after `?` can be a secret.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    crate::without_credentials(url.as_str())
}

/// The causes of an error, without the outer ones that only say that a request failed.
fn reason(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let text = error.to_string();
        let says_nothing = text.starts_with("client error (") || NOTHING.contains(&text.as_str());
        if !says_nothing && texts.last().is_none_or(|last| !last.contains(&text)) {
            texts.push(text);
        }
        cause = error.source();
    }
    match texts.is_empty() {
        true if error.is_timeout() => "no answer in time".to_owned(),
        true => "the request failed".to_owned(),
        false => texts.join(": "),
    }
}
