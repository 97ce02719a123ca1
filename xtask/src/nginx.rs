//! nginx on this machine's loopback address, for as long as somebody needs it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::run::find;

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server, ended when this is dropped.
pub struct Nginx {
    home: PathBuf,
    port: u16,
    process: Child,
}

impl Nginx {
    /// A server of the files below `files`, whose configuration, log and temporary files are in `home`.
    ///
    /// # Errors
    /// When nginx is not there, or does not listen.
    pub fn serve(home: &Path, files: &Path) -> Result<Nginx> {
        let root = files.display();
        Nginx::start(
            home,
            &format!("root {root}; location / {{ try_files $uri =404; }}"),
        )
    }

    /// A server with these directives.
    ///
    /// # Errors
    /// When nginx is not there, or does not listen.
    pub fn start(home: &Path, directives: &str) -> Result<Nginx> {
        fs::create_dir_all(home.join("temporary"))?;
        let home = fs::canonicalize(home)?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let log = home.join("access.log");
        if log.exists() {
            fs::remove_file(&log)?;
        }
        let config = home.join("nginx.conf");
        fs::write(&config, configuration(&home, port, directives))?;
        let process = Command::new(find("nginx").context("nginx is not installed")?)
            .arg("-c")
            .arg(&config)
            .arg("-e")
            .arg(home.join("error.log"))
            .stdin(Stdio::null())
            .spawn()
            .context("nginx cannot be run")?;
        let mut nginx = Nginx { home, port, process };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = nginx.process.try_wait()? {
                bail!(
                    "nginx ended: {status}; see {}",
                    nginx.home.join("error.log").display()
                );
            }
            ensure!(start.elapsed() < PATIENCE, "nginx does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(nginx)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What was asked for and answered 404, once each.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn missing(&self) -> Result<Vec<String>> {
        let log = fs::read_to_string(self.home.join("access.log"))?;
        let mut missing: Vec<String> = log
            .lines()
            .filter_map(|line| line.strip_prefix("404 "))
            .map(str::to_owned)
            .collect();
        missing.sort_unstable();
        missing.dedup();
        Ok(missing)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM, so that nginx ends its worker too.
        if let Some(process) = rustix::process::Pid::from_raw(self.process.id().cast_signed()) {
            let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
        }
        let _ = self.process.wait();
    }
}

fn configuration(home: &Path, port: u16, directives: &str) -> String {
    let home = home.display();
    let user = if rustix::process::geteuid().is_root() {
        "user root;"
    } else {
        ""
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
        {directives}
    }}
}}
"
    )
}
