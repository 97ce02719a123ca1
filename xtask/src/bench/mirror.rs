//! A partial mirror on this machine: nginx, which first keeps what the tools ask for, then serves nothing else.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::run::find;

/// How long nginx may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// nginx, ended when this is dropped.
pub struct Mirror {
    home: PathBuf,
    /// The address of the real mirror.
    upstream: String,
    port: u16,
    nginx: Child,
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
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let log = home.join("access.log");
        if log.exists() {
            fs::remove_file(&log)?;
        }
        let config = home.join("nginx.conf");
        fs::write(&config, configuration(&home, upstream, port, filling))?;
        let nginx = Command::new(find("nginx").context("nginx is not installed")?)
            .arg("-c")
            .arg(&config)
            .arg("-e")
            .arg(home.join("error.log"))
            .stdin(Stdio::null())
            .spawn()
            .context("nginx cannot be run")?;
        let mut mirror = Mirror {
            home,
            upstream: upstream.to_owned(),
            port,
            nginx,
        };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = mirror.nginx.try_wait()? {
                bail!(
                    "nginx ended: {status}; see {}",
                    mirror.home.join("error.log").display()
                );
            }
            ensure!(start.elapsed() < PATIENCE, "nginx does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(mirror)
    }

    /// The address to give to the tools.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.path())
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
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
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
        let log = fs::read_to_string(self.home.join("access.log"))?;
        let mut missing: Vec<String> = log
            .lines()
            .filter_map(|line| line.strip_prefix("404 "))
            .map(|path| path.trim_start_matches(self.path()).to_owned())
            .collect();
        missing.sort_unstable();
        missing.dedup();
        Ok(missing)
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        // SIGTERM, so that nginx ends its worker too.
        if let Some(process) = rustix::process::Pid::from_raw(self.nginx.id().cast_signed()) {
            let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
        }
        let _ = self.nginx.wait();
    }
}

/// nginx's configuration. The upstream's address is only ever written here, below `target`.
fn configuration(home: &Path, upstream: &str, port: u16, filling: bool) -> String {
    let home = home.display();
    let user = if rustix::process::geteuid().is_root() {
        "user root;"
    } else {
        ""
    };
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
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|what| format!("    {what}_temp_path {home}/temporary/{what};\n"))
        .collect();
    format!(
        "{user}
daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{}}
http {{
    log_format brief '$status $uri';
    access_log {home}/access.log brief;
{temporary}    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000;
    server {{
        listen 127.0.0.1:{port};
        root {home}/files;
        location / {{ try_files $uri {lacking}; }}
        {fetch}
    }}
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_filling_mirror_knows_another() {
        let text = |filling| configuration(Path::new("/b"), "http://mirror.example/debian", 8080, filling);
        assert!(text(true).contains("proxy_pass http://mirror.example;"));
        assert!(!text(false).contains("mirror.example"));
        assert!(text(false).contains("try_files $uri =404;"));
    }
}
