//! A `redis-server` of a test: a plain process on a free port of the loopback interface.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Server {
    /// Starts a server, or says that there is none.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts a server with these options, or says that there is none.
    pub(crate) fn start_with(options: &[&str]) -> Option<Self> {
        if Command::new("redis-server").arg("--version").output().is_err() {
            eprintln!(
                "not tested: there is no `redis-server` (Debian: apt-get install redis-server)"
            );
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder =
            std::env::temp_dir().join(format!("forloop-redis-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut server = Self { child: spawn(port, &folder, options), port, folder };
        server.wait();
        Some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, on the same port and with its log.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(self.port, &self.folder, &[]);
        self.wait();
    }

    /// The log of all commands, of a server that does not run.
    pub(crate) fn log(&self) -> PathBuf {
        let folder = std::fs::read_dir(self.folder.join("appendonlydir")).unwrap();
        let mut logs = folder.map(|entry| entry.unwrap().path());
        logs.find(|path| path.to_string_lossy().ends_with(".incr.aof")).unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Runs a command, and returns its answer as the protocol has it.
    pub(crate) fn command(&self, words: &[&[u8]]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend(format!("${}\r\n", word.len()).into_bytes());
            request.extend(*word);
            request.extend(b"\r\n");
        }
        request.extend(b"*1\r\n$4\r\nQUIT\r\n");
        stream.write_all(&request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        answer.strip_suffix("+OK\r\n").unwrap().to_owned()
    }

    /// The keys that are there.
    pub(crate) fn keys(&self) -> Vec<String> {
        let answer = self.command(&[b"KEYS", b"*"]);
        let mut keys: Vec<_> =
            answer.lines().filter(|line| line.starts_with('{')).map(str::to_owned).collect();
        keys.sort();
        keys
    }

    fn wait(&mut self) {
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "the server does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        let is_ready = |answer: String| answer.contains("PONG") || answer.contains("NOAUTH");
        while !is_ready(self.command(&[b"PING"])) {
            assert!(start.elapsed() < Duration::from_secs(20), "the server does not load its log");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn spawn(port: u16, folder: &PathBuf, options: &[&str]) -> Child {
    let port = port.to_string();
    let mut command = Command::new("redis-server");
    command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]);
    command.args(["--loglevel", "warning", "--dir"]).arg(folder).args(options);
    command.stdout(Stdio::null()).stdin(Stdio::null()).spawn().unwrap()
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
        let _removed = std::fs::remove_dir_all(&self.folder);
    }
}
