//! A partial mirror on this machine: nginx, which first keeps what the tools ask for, then serves nothing else.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::nginx::Nginx;

/// The mirror, ended when this is dropped.
pub struct Mirror {
    home: PathBuf,
    /// The address of the real mirror.
    upstream: String,
    nginx: Nginx,
}

impl Mirror {
    /// A mirror that fetches what it lacks from the real one, and keeps it. What it has of `dists` is forgotten:
    /// the real one may have moved on.
    ///
    /// # Errors
    /// When nginx does not start.
    pub fn start_filling(home: &Path, upstream: &str) -> Result<Mirror> {
        ensure!(
            upstream.starts_with("http://"),
            "the bench's mirror is filled over http, not from `{upstream}`"
        );
        let home = home.join("mirror");
        for directory in ["files", "temporary"] {
            fs::create_dir_all(home.join(directory))?;
        }
        let mirror = Mirror::start(home, upstream, true)?;
        let dists = mirror
            .home
            .join("files")
            .join(mirror.path().trim_start_matches('/'))
            .join("dists");
        if dists.exists() {
            fs::remove_dir_all(&dists)?;
        }
        Ok(mirror)
    }

    /// The same files, and nothing from outside.
    ///
    /// # Errors
    /// When nginx does not start.
    pub fn serve_only(self) -> Result<Mirror> {
        let (home, upstream) = (self.home.clone(), self.upstream.clone());
        drop(self);
        Mirror::start(home, &upstream, false)
    }

    fn start(home: PathBuf, upstream: &str, filling: bool) -> Result<Mirror> {
        let nginx = Nginx::start(&home, &directives(&home, upstream, filling))?;
        Ok(Mirror {
            home,
            upstream: upstream.to_owned(),
            nginx,
        })
    }

    /// The address to give to the tools.
    pub fn url(&self) -> String {
        format!("{}{}", self.nginx.url(), self.path())
    }

    /// The path of the real mirror, which is this one's too.
    fn path(&self) -> &str {
        let rest = self.upstream.trim_start_matches("http://");
        rest.find('/').map_or("", |slash| &rest[slash..])
    }

    /// Asks for every form of the index that a tool may choose, by its name and by its digest.
    ///
    /// # Errors
    /// When the mirror has no InRelease of the suite.
    pub fn fetch_indexes(&self, suite: &str, arch: &str) -> Result<()> {
        let release = self
            .get(&format!("dists/{suite}/InRelease"))?
            .context("the mirror has no InRelease")?;
        for name in ["Release", "Release.gpg"] {
            self.get(&format!("dists/{suite}/{name}"))?;
        }
        let release = String::from_utf8_lossy(&release).into_owned();
        let directory = format!("main/binary-{arch}");
        for line in release.lines().filter(|line| line.starts_with(' ')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [digest, _, name] = words[..] else { continue };
            if name
                .strip_prefix(&directory)
                .is_some_and(|rest| rest.starts_with("/Packages."))
            {
                self.get(&format!("dists/{suite}/{name}"))?;
                let kind = match digest.len() {
                    64 => "SHA256",
                    128 => "SHA512",
                    _ => "MD5Sum",
                };
                self.get(&format!("dists/{suite}/{directory}/by-hash/{kind}/{digest}"))?;
            }
        }
        Ok(())
    }

    /// A file of the mirror, or None when it has none.
    fn get(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.nginx.port()))?;
        write!(
            stream,
            "GET {}/{path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n",
            self.path()
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let head = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .context("nginx answers without a head")?;
        let status = String::from_utf8_lossy(&answer[..head])
            .split(' ')
            .nth(1)
            .unwrap_or_default()
            .to_owned();
        match status.as_str() {
            "200" => Ok(Some(answer.split_off(head + 4))),
            "404" => Ok(None),
            other => bail!("the mirror answers {other} for `{path}`"),
        }
    }

    /// What was asked for and answered 404, once each.
    ///
    /// # Errors
    /// When nginx's log cannot be read.
    pub fn missing(&self) -> Result<Vec<String>> {
        let missing = self.nginx.missing()?.into_iter();
        Ok(missing
            .map(|path| path.trim_start_matches(self.path()).to_owned())
            .collect())
    }
}

/// What nginx serves. The upstream's address is only ever written here, below `target`.
fn directives(home: &Path, upstream: &str, filling: bool) -> String {
    let home = home.display();
    let host = upstream
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap_or_default();
    let lacking = if filling { "@upstream" } else { "=404" };
    let fetch = if filling {
        format!(
            "location @upstream {{ proxy_pass http://{host}; proxy_http_version 1.1; proxy_store on; \
             proxy_store_access user:rw group:r all:r; }}"
        )
    } else {
        String::new()
    };
    format!("root {home}/files; location / {{ try_files $uri {lacking}; }} {fetch}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_filling_mirror_knows_another() {
        let text = |filling| directives(Path::new("/b"), "http://mirror.example/debian", filling);
        assert!(text(true).contains("proxy_pass http://mirror.example;"));
        assert!(!text(false).contains("mirror.example"));
        assert!(text(false).contains("try_files $uri =404;"));
    }
}
