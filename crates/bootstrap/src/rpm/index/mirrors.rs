//! Where a repository is: its base URLs, those that a mirror list or a metalink names, and what a metalink says that
//! repomd.xml must be.

use bareroot_enter::confine;
use bareroot_fetch::{Fetcher, Location};
use bareroot_rpm_repo::{metalink, mirrorlist};

use crate::error::Error;
use crate::rpm::plan::PlannedRepo;

/// Fedora's metalinks are some 30 kilobytes.
const LARGEST_LIST: u64 = 10_000_000;

/// A repository's mirrors, the preferred one first.
#[derive(Clone, Debug, Default)]
pub struct Mirrors {
    /// Base URLs without the slash at their end.
    pub urls: Vec<String>,
    /// What repomd.xml must be, by the metalink: the current one first, then those before it that still count.
    pub repomd: Vec<metalink::RepomdFile>,
}

/// Finds the mirrors.
///
/// # Errors
/// When a list cannot be had or read, or names nothing.
pub fn find(repo: &PlannedRepo, fetcher: &Fetcher) -> Result<Mirrors, Error> {
    let mut mirrors = Mirrors {
        urls: repo.base_urls.iter().map(|url| plain(url)).collect(),
        repomd: Vec::new(),
    };
    if let Some(url) = &repo.metalink {
        let text = text_at(url, fetcher)?;
        let metalink = parsed(url, &text)?;
        mirrors.urls.extend(metalink.base_urls().map(plain));
        mirrors.repomd = metalink.repomd;
    }
    if let Some(url) = &repo.mirror_list {
        let text = text_at(url, fetcher)?;
        // yum's own habit: what is called mirrorlist may be a metalink.
        if metalink::is_metalink(&text) {
            let metalink = parsed(url, &text)?;
            mirrors.urls.extend(metalink.base_urls().map(plain));
            mirrors.repomd = metalink.repomd;
        } else {
            mirrors
                .urls
                .extend(mirrorlist::parse(&text).iter().map(|url| plain(url)));
        }
    }
    if mirrors.urls.is_empty() {
        return Err(Error::NoMirrors {
            repository: repo.id.clone(),
        });
    }
    Ok(mirrors)
}

/// A metalink, read where it can do no harm.
fn parsed(url: &str, text: &[u8]) -> Result<metalink::Metalink, Error> {
    let name = bareroot_fetch::without_credentials(url);
    confine::parse(|| Ok(metalink::parse(&name, text)?))
}

/// The file at a URL of its own.
pub fn text_at(url: &str, fetcher: &Fetcher) -> Result<Vec<u8>, Error> {
    Ok(fetcher.index(&Location::of_url(url), LARGEST_LIST)?)
}

fn plain(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}
