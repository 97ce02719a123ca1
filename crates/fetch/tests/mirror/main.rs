//! The fetcher against mirrors that misbehave.

mod broken;
mod cache;
mod credentials;
mod local;
mod many;
mod mirrors;
mod proxies;
mod redirects;
mod setting;
mod shared;
mod tls;
