use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process, kill_process_group};

use super::Run;

/// How long anything that a test waits for may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A run that goes on: its lines are read as they come.
#[derive(Debug)]
pub struct Going {
    child: Child,
    said: Arc<Said>,
    readers: Vec<JoinHandle<()>>,
}

/// Standard output and standard error so far.
#[derive(Debug, Default)]
struct Said {
    text: Mutex<[String; 2]>,
    more: Condvar,
}

impl Going {
    /// Starts a command in a process group of its own, as a shell does.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start(mut command: Command) -> Self {
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn().expect("the binary starts");
        let said = Arc::new(Said::default());
        let out = child.stdout.take().map(|stream| reader(0, stream, &said));
        let err = child.stderr.take().map(|stream| reader(1, stream, &said));
        Going {
            child,
            said,
            readers: [out, err].into_iter().flatten().collect(),
        }
    }

    /// Waits until these words have been said.
    ///
    /// # Panics
    ///
    /// When they are not, or not in time.
    #[track_caller]
    pub fn until_said(&mut self, words: &str) {
        self.until(|said| said.iter().any(|text| text.contains(words)), words);
    }

    /// Waits until something is so.
    ///
    /// # Panics
    ///
    /// When the run ends before, or it takes too long.
    #[track_caller]
    pub fn until_so(&mut self, what: &str, so: impl Fn() -> bool) {
        self.until(|_| so(), what);
    }

    #[track_caller]
    fn until(&mut self, reached: impl Fn(&[String; 2]) -> bool, what: &str) {
        let begin = Instant::now();
        let mut text = self.said.text.lock().expect("a reader panicked");
        while !reached(&text) {
            let ended = self.child.try_wait().expect("the run's state").is_some();
            assert!(
                !ended && begin.elapsed() < PATIENCE,
                "waiting for `{what}`: ended: {ended}, said: {text:#?}"
            );
            text = self
                .said
                .more
                .wait_timeout(text, Duration::from_millis(10))
                .expect("a reader panicked")
                .0;
        }
    }

    /// Sends a signal to the process alone, as kill(1) does.
    pub fn signal(&self, signal: Signal) {
        // It may have ended.
        let _ = kill_process(self.pid(), signal);
    }

    /// Sends a signal to its process group, as a terminal does.
    pub fn signal_group(&self, signal: Signal) {
        let _ = kill_process_group(self.pid(), signal);
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// When it takes too long.
    pub fn end(self) -> Run {
        self.end_within(PATIENCE)
    }

    /// Waits so long for its end.
    ///
    /// # Panics
    ///
    /// When it takes longer.
    pub fn end_within(mut self, patience: Duration) -> Run {
        let begin = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("the run's state") {
                Some(status) => break status,
                None if begin.elapsed() > patience => {
                    self.signal(Signal::KILL);
                    panic!("the run does not end: {:#?}", self.said.text.lock());
                }
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        let [stdout, stderr] = std::mem::take(&mut *self.said.text.lock().expect("a reader panicked"));
        Run {
            code: status.code(),
            signal: status.signal(),
            stdout,
            stderr,
        }
    }
}

impl Drop for Going {
    // A test that failed leaves no run behind.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn reader(place: usize, stream: impl Read + Send + 'static, said: &Arc<Said>) -> JoinHandle<()> {
    let said = Arc::clone(said);
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while matches!(stream.read_until(b'\n', &mut line), Ok(1..)) {
            let mut text = said.text.lock().expect("a waiter panicked");
            text[place].push_str(&String::from_utf8_lossy(&line));
            said.more.notify_all();
            line.clear();
        }
    })
}
