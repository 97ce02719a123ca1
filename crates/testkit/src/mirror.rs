//! A loopback mirror that misbehaves on request, also as an HTTP proxy.
//!
//! It serves a map of files, a directory, or both (the map wins), keeps connections alive, knows HEAD, Range, If-Range and
//! ETag, and records what it was asked. What is to go wrong is told by [`Fault`]s, per path and for a number of requests.
//! A request in absolute form (as a proxy gets it) is answered from the same files, whatever its host; CONNECT is
//! tunnelled to where [`Mirror::route`] says.

mod answer;
mod fault;
mod plan;
mod request;
mod trip;
mod tunnel;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

pub use fault::Fault;
pub use plan::Plan;
pub use request::Request;
pub use trip::Moment;

use answer::Body;
use fault::Rule;
use request::Connection;
use trip::Trip;

/// A running mirror. Dropping it closes every connection and ends its threads.
#[derive(Debug)]
pub struct Mirror {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    trip: Trip,
    stopping: AtomicBool,
    connections: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Arc<[u8]>>,
    root: Option<PathBuf>,
    rules: Vec<Rule>,
    plan: Option<Plan>,
    requests: Vec<Request>,
    streams: Vec<(usize, TcpStream)>,
    routes: HashMap<String, SocketAddr>,
    origin_credentials: Option<String>,
    proxy_credentials: Option<String>,
}

impl Mirror {
    /// An empty mirror on a free port of 127.0.0.1.
    pub fn start() -> io::Result<Mirror> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let acceptor = std::thread::Builder::new().name("mirror".into()).spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        })?;
        Ok(Mirror {
            address,
            shared,
            acceptor: Some(acceptor),
        })
    }

    /// A mirror over these files: path without a leading slash, content.
    pub fn serve<P: Into<String>, B: Into<Vec<u8>>>(
        files: impl IntoIterator<Item = (P, B)>,
    ) -> io::Result<Mirror> {
        let mirror = Mirror::start()?;
        for (path, content) in files {
            mirror.put(path, content);
        }
        Ok(mirror)
    }

    /// A mirror over a directory.
    pub fn serve_directory(root: impl Into<PathBuf>) -> io::Result<Mirror> {
        let mirror = Mirror::start()?;
        mirror.shared.state().root = Some(root.into());
        Ok(mirror)
    }

    /// Another mirror over the same files, on a port of its own, that misbehaves by itself and was asked nothing yet. What
    /// is put into the one later is not in the other.
    pub fn twin(&self) -> io::Result<Mirror> {
        let twin = Mirror::start()?;
        let state = self.shared.state();
        let mut own = twin.shared.state();
        own.files.clone_from(&state.files);
        own.root.clone_from(&state.root);
        drop(own);
        drop(state);
        Ok(twin)
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Adds or replaces a file.
    pub fn put(&self, path: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.shared
            .state()
            .files
            .insert(path.into(), content.into().into());
    }

    /// Takes a file of the map away.
    pub fn remove(&self, path: &str) {
        self.shared.state().files.remove(path);
    }

    /// The next `times` requests for `path` go wrong like this, after the faults that were told before are used up.
    /// The path `*` means any.
    pub fn fault(&self, path: &str, times: usize, fault: Fault) {
        self.shared.state().rules.push(Rule {
            path: path.to_owned(),
            left: times,
            fault,
        });
    }

    /// Every request for `path` goes wrong like this.
    pub fn always(&self, path: &str, fault: Fault) {
        self.fault(path, usize::MAX, fault);
    }

    /// Where no fault was told for a request, the plan says what goes wrong with it.
    pub fn plan(&self, plan: Plan) {
        self.shared.state().plan = Some(plan);
    }

    /// Does something once, at a moment, on the thread that serves the request; it takes the place of what was to be done
    /// before.
    pub fn at(&self, moment: Moment, action: impl FnOnce() + Send + 'static) {
        self.shared.trip.set(moment, Box::new(action));
    }

    /// How many bytes of bodies were sent.
    pub fn sent(&self) -> u64 {
        self.shared.trip.bytes()
    }

    /// Forgets all faults that are left, and the plan.
    pub fn behave(&self) {
        let mut state = self.shared.state();
        state.rules.clear();
        state.plan = None;
    }

    /// Answers 401 to requests without these credentials.
    pub fn require(&self, user: &str, password: &str) {
        self.shared.state().origin_credentials = Some(basic(user, password));
    }

    /// Answers 407 to proxy requests without these credentials.
    pub fn require_as_proxy(&self, user: &str, password: &str) {
        self.shared.state().proxy_credentials = Some(basic(user, password));
    }

    /// CONNECT to `authority` (`host:port`) goes to `to`.
    pub fn route(&self, authority: &str, to: SocketAddr) {
        self.shared.state().routes.insert(authority.to_owned(), to);
    }

    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// The requests but for the question whether this is a partial mirror, which is asked before anything is fetched.
    pub fn fetches(&self) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| !request.path.ends_with("bareroot-mirror.toml"));
        requests
    }

    /// How many requests there were for `path`.
    pub fn count(&self, path: &str) -> usize {
        self.shared
            .state()
            .requests
            .iter()
            .filter(|request| request.path == path)
            .count()
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Serves one connection that something else accepted, such as a TLS stream, until it ends.
    pub fn handle(&self, stream: impl Read + Write) {
        let number = self.shared.connections.fetch_add(1, Ordering::SeqCst);
        converse(&mut Connection::new(stream, number), &self.shared);
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        for (_, stream) in self.shared.state().streams.drain(..) {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
        // accept(2) returns for one more connection, and then sees the flag.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}

impl State {
    fn open(&self, path: &str) -> Option<Body> {
        if let Some(content) = self.files.get(path) {
            return Some(Body::Bytes(Arc::clone(content)));
        }
        let root = self.root.as_ref()?;
        let relative = Path::new(path);
        if !relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            return None;
        }
        let file = File::open(root.join(relative)).ok()?;
        let metadata = file.metadata().ok()?;
        metadata.is_file().then(|| Body::File(file, metadata.len()))
    }

    /// What goes wrong with the request that was noted last.
    fn next_fault(&mut self, path: &str) -> Option<Fault> {
        let told = self
            .rules
            .iter_mut()
            .find(|rule| rule.left > 0 && (rule.path == "*" || rule.path == path));
        let Some(rule) = told else {
            let plan = self.plan?;
            let before = self
                .requests
                .iter()
                .filter(|request| request.path == path)
                .count();
            let content = self.files.get(path).map(AsRef::as_ref);
            return plan.fault(path, before.saturating_sub(1), content);
        };
        if rule.left != usize::MAX {
            rule.left -= 1;
        }
        Some(rule.fault.clone())
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept() else {
            continue;
        };
        if shared.stopping() {
            return;
        }
        let number = shared.connections.fetch_add(1, Ordering::SeqCst);
        let _ = stream.set_nodelay(true);
        if let Ok(twin) = stream.try_clone() {
            shared.state().streams.push((number, twin));
        }
        let shared = Arc::clone(shared);
        // A thread that cannot be made drops the stream: the client sees a reset, and its test fails visibly.
        let _ = std::thread::Builder::new()
            .name(format!("mirror {number}"))
            .spawn(move || {
                let mut connection = Connection::new(stream, number);
                if let Some(authority) = converse(&mut connection, &shared) {
                    tunnel::run(connection, &authority, &shared);
                }
                shared.state().streams.retain(|(other, _)| *other != number);
            });
    }
}

/// Answers requests until the connection ends; returns the authority of a CONNECT.
fn converse<S: Read + Write>(connection: &mut Connection<S>, shared: &Shared) -> Option<String> {
    loop {
        let Ok(Some(request)) = connection.request() else {
            return None;
        };
        shared.trip.request();
        let (fault, body, refusal) = {
            let mut state = shared.state();
            state.requests.push(request.clone());
            let refusal = state.refusal(&request);
            (
                state.next_fault(&request.path),
                state.open(&request.path),
                refusal,
            )
        };
        if let Some((status, challenge)) = refusal {
            let headers = [(challenge, "Basic realm=\"test\"".to_owned())];
            if answer::status(connection, status, &headers).is_err() {
                return None;
            }
            continue;
        }
        if request.method == "CONNECT" {
            return Some(request.target);
        }
        match answer::answer(connection, &request, body, fault, shared) {
            Ok(true) => {}
            Ok(false) | Err(_) => return None,
        }
    }
}

impl State {
    /// The status and the name of the challenge, where credentials are required and not given.
    fn refusal(&self, request: &Request) -> Option<(u16, &'static str)> {
        let proxied = request.method == "CONNECT" || !request.target.starts_with('/');
        if proxied
            && self
                .proxy_credentials
                .as_deref()
                .is_some_and(|wanted| request.header("proxy-authorization") != Some(wanted))
        {
            return Some((407, "Proxy-Authenticate"));
        }
        let wanted = self
            .origin_credentials
            .as_deref()
            .filter(|_| request.method != "CONNECT")?;
        (request.header("authorization") != Some(wanted)).then_some((401, "WWW-Authenticate"))
    }
}

/// The value of an Authorization header for these credentials.
pub fn basic(user: &str, password: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("Basic ");
    for group in format!("{user}:{password}").as_bytes().chunks(3) {
        let bits =
            group.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for digit in 0..4 {
            let index = bits >> (18 - 6 * digit) & 63;
            text.push(if digit <= group.len() {
                ALPHABET[index as usize] as char
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(mirror: &Mirror, request: &str) -> String {
        let mut stream = TcpStream::connect(mirror.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn credentials_as_in_rfc_7617() {
        assert_eq!(
            basic("Aladdin", "open sesame"),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        assert_eq!(basic("a", "b"), "Basic YTpi");
        assert_eq!(basic("a", "bc"), "Basic YTpiYw==");
    }

    #[test]
    fn files_ranges_and_what_is_not_there() {
        let mirror = Mirror::serve([("pool/a+b_1%3a2.deb", "0123456789")]).unwrap();
        let whole = ask(&mirror, "GET /pool/a%2bb_1%253a2.deb HTTP/1.1\r\n\r\n");
        assert!(
            whole.starts_with("HTTP/1.1 200 OK\r\n") && whole.ends_with("\r\n\r\n0123456789"),
            "{whole}"
        );
        let part = ask(
            &mirror,
            "GET /pool/a+b_1%253a2.deb HTTP/1.1\r\nRange: bytes=4-\r\n\r\n",
        );
        assert!(
            part.starts_with("HTTP/1.1 206 ") && part.ends_with("\r\n\r\n456789"),
            "{part}"
        );
        assert!(part.contains("Content-Range: bytes 4-9/10\r\n"), "{part}");
        let beyond = ask(
            &mirror,
            "GET /pool/a+b_1%253a2.deb HTTP/1.1\r\nRange: bytes=10-\r\n\r\n",
        );
        assert!(
            beyond.starts_with("HTTP/1.1 416 ") && beyond.contains("bytes */10"),
            "{beyond}"
        );
        let stale = "GET /pool/a+b_1%253a2.deb HTTP/1.1\r\nRange: bytes=4-\r\nIf-Range: \"other\"\r\n\r\n";
        assert!(ask(&mirror, stale).starts_with("HTTP/1.1 200 "));
        let head = ask(&mirror, "HEAD /pool/a+b_1%253a2.deb HTTP/1.1\r\n\r\n");
        assert!(
            head.contains("Content-Length: 10\r\n") && head.ends_with("\r\n\r\n"),
            "{head}"
        );
        assert!(ask(&mirror, "GET /other HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
        assert_eq!(mirror.count("pool/a+b_1%3a2.deb"), 5);
    }

    #[test]
    fn a_directory_and_nothing_above_it() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("in")).unwrap();
        std::fs::write(directory.path().join("in/file"), "inside").unwrap();
        std::fs::write(directory.path().join("secret"), "outside").unwrap();
        let mirror = Mirror::serve_directory(directory.path().join("in")).unwrap();
        assert!(ask(&mirror, "GET /file HTTP/1.1\r\n\r\n").ends_with("inside"));
        assert!(ask(&mirror, "GET /../secret HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
    }

    #[test]
    fn faults_are_used_up_in_order() {
        let mirror = Mirror::serve([("f", "0123456789")]).unwrap();
        mirror.fault("f", 1, Fault::Status(500));
        mirror.fault("f", 1, Fault::Truncate(3));
        let request = "GET /f HTTP/1.1\r\n\r\n";
        assert!(ask(&mirror, request).starts_with("HTTP/1.1 500 "));
        assert!(ask(&mirror, request).ends_with("Content-Length: 10\r\nAccept-Ranges: bytes\r\n\r\n012"));
        assert!(ask(&mirror, request).ends_with("0123456789"));
    }

    #[test]
    fn a_plan_goes_wrong_until_it_is_told_to_behave() {
        let mirror = Mirror::serve([("f", "0123456789")]).unwrap();
        let failing = |seed: &u64| {
            Plan::new(*seed, 1000).fault("f", 1, Some(b"0123456789")) == Some(Fault::Status(500))
        };
        mirror.plan(Plan::new((0..).find(failing).unwrap(), 1000));
        mirror.fault("f", 1, Fault::Status(418));
        let request = "GET /f HTTP/1.1\r\n\r\n";
        assert!(ask(&mirror, request).starts_with("HTTP/1.1 418 "));
        assert!(ask(&mirror, request).starts_with("HTTP/1.1 500 "));
        mirror.behave();
        assert!(ask(&mirror, request).ends_with("0123456789"));
    }

    #[test]
    fn moments_come_once() {
        let mirror = Mirror::serve([("f", "0123456789")]).unwrap();
        let seen = Arc::new(AtomicUsize::new(0));
        let count = |moment| {
            let seen = Arc::clone(&seen);
            mirror.at(moment, move || {
                seen.fetch_add(1, Ordering::SeqCst);
            });
        };
        let request = "GET /f HTTP/1.1\r\n\r\n";
        count(Moment::Request(2));
        for times in [0, 1, 1] {
            ask(&mirror, request);
            assert_eq!(seen.load(Ordering::SeqCst), times);
        }
        assert_eq!(mirror.sent(), 30);
        count(Moment::Byte(35));
        for times in [2, 2] {
            assert!(ask(&mirror, request).ends_with("0123456789"));
            assert_eq!(seen.load(Ordering::SeqCst), times);
        }
    }

    #[test]
    fn as_a_proxy_it_answers_for_any_host_and_wants_credentials() {
        let mirror = Mirror::serve([("f", "it")]).unwrap();
        mirror.require_as_proxy("u", "p");
        assert!(ask(&mirror, "GET http://a.example/f HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 407 "));
        let request = format!(
            "GET http://a.example/f HTTP/1.1\r\nProxy-Authorization: {}\r\n\r\n",
            basic("u", "p")
        );
        assert!(ask(&mirror, &request).ends_with("it"));
        assert_eq!(mirror.requests()[1].target, "http://a.example/f");
    }
}
