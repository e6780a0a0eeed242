//! Producers and workers as processes of their own.

use std::env;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use forloop_core::{BlockOn, Outcome, Runtime, Summary, each};
use forloop_remote::{Bodies, Body, OnRemote, Remote};
use forloop_smol::Smol;

use crate::server::Server;

pub(crate) const WORK: Body<u64, u64, String> = Body::named("work", 1);

/// Writes its item to a file when it begins.
pub(crate) const ONCE: Body<u64, u64, String> = Body::named("once", 1).once();

/// The lease of all.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

/// An item that ends its process.
pub(crate) const ABORTS: u64 = 1_000_000;

const ROLE: &str = "FORLOOP_REMOTE_TEST_ROLE";
const FILE: &str = "FORLOOP_REMOTE_TEST_FILE";
const URL: &str = "FORLOOP_REMOTE_TEST_URL";

/// The outcome of an item in the local loop.
pub(crate) fn expected(n: u64) -> Outcome<u64, String> {
    match n {
        ABORTS => Outcome::Lost,
        n if n % 97 == 3 => Outcome::Err(format!("{n} failed")),
        n if n % 101 == 5 => {
            let message: Box<dyn std::any::Any + Send> = Box::new(format!("{n} panicked"));
            Outcome::Panicked(message.into())
        }
        n => Outcome::Ok(n * 10),
    }
}

fn bodies(runtime: impl Runtime) -> Bodies {
    let clock = runtime.clone();
    let bodies = Bodies::new().with(ONCE, move |n: u64| {
        let clock = clock.clone();
        async move {
            let file = OpenOptions::new().append(true).open(env::var(FILE).unwrap());
            file.unwrap().write_all(format!("{n}\n").as_bytes()).unwrap();
            clock.sleep(Duration::from_millis(20)).await;
            Ok(n)
        }
    });
    bodies.with(WORK, move |n: u64| {
        let runtime = runtime.clone();
        async move {
            if n == ABORTS {
                std::process::abort();
            }
            runtime.sleep(Duration::from_millis(20)).await;
            match expected(n) {
                Outcome::Ok(value) => Ok(value),
                Outcome::Err(error) => Err(error),
                _ => panic!("{n} panicked"),
            }
        }
    })
}

pub(crate) async fn connect(runtime: &impl Runtime, url: &str) -> Remote {
    let remote = Remote::connect(runtime, url, &bodies(runtime.clone())).await.unwrap();
    remote.lease(LEASE).patience(Duration::from_secs(120))
}

/// Settles the items in this process, deletes the run, and checks the outcomes.
pub(crate) async fn settle(runtime: &impl Runtime, url: &str, items: Vec<u64>) -> Summary {
    let run = connect(runtime, url).await.run("chaos").await.unwrap();
    let remote = each(items.clone()).limit(150).unwrap().catch_panics().on_remote(&run);
    let settled = remote.settle(|n| WORK.call(n)).await;
    for (n, outcome) in items.iter().zip(settled.iter()) {
        assert_eq!(*outcome, expected(*n), "item {n}");
    }
    assert_eq!(settled.len(), items.len());
    run.forget().await.unwrap();
    settled.summary()
}

/// Checks that nothing is left of a run.
pub(crate) fn check_empty(server: &Server) {
    let left: Vec<_> = server.keys();
    // The empty streams of the bodies that are served, with their groups.
    let lasting = ["bodies", "dead", "deaths", "jobs:once@1", "jobs:work@1", "served"];
    let is_lasting = |key: &str| lasting.contains(&key.trim_start_matches("{forloop}:"));
    assert!(left.iter().all(|key| is_lasting(key)), "{left:?}");
    assert_eq!(server.command(&[b"XLEN", b"{forloop}:jobs:work@1"]), ":0\r\n");
    let pending = server.command(&[b"XPENDING", b"{forloop}:jobs:work@1", b"w"]);
    assert!(pending.starts_with("*4\r\n:0\r\n"), "{pending}");
}

/// A process in a role: it is killed when this is dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts a worker on one of three runtimes, by turns.
    pub(crate) fn worker(server: &Server, number: usize) -> Self {
        let role = ["worker on smol", "worker on async-std", "worker on tokio"][number % 3];
        Self::start(server, role)
    }

    pub(crate) fn producer(server: &Server) -> Self {
        Self::start(server, "producer")
    }

    /// Starts a producer that trusts the certificate in a file.
    #[cfg(feature = "redis-tls")]
    pub(crate) fn producer_with_tls(url: &str, certificate: &std::path::Path) -> Self {
        let mut command = Self::command("producer", url);
        Self(command.env("SSL_CERT_FILE", certificate).spawn().unwrap())
    }

    fn start(server: &Server, role: &str) -> Self {
        Self(Self::command(role, &server.url()).spawn().unwrap())
    }

    /// Starts a worker whose `once` bodies write to a file.
    pub(crate) fn worker_with_file(server: &Server, file: &std::path::Path) -> Self {
        let mut command = Self::command("worker on smol", &server.url());
        Self(command.env(FILE, file).spawn().unwrap())
    }

    fn command(role: &str, url: &str) -> Command {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "processes::a_process_in_its_role", "--nocapture"]);
        command.env(ROLE, role).env(URL, url);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        // It may have died.
        let _killed = self.0.kill();
        self.0.wait().unwrap();
    }

    /// `SIGSTOP` or `SIGCONT`.
    pub(crate) fn signal(&self, signal: &str) {
        signal_process(self.0.id(), signal);
    }

    /// Waits until it has ended, and returns whether it has succeeded, and what it has printed.
    pub(crate) fn output(mut self) -> (bool, String) {
        let mut printed = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        (self.0.wait().unwrap().success(), printed)
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn signal_process(id: u32, signal: &str) {
    let status = Command::new("kill").args([&format!("-{signal}"), &id.to_string()]).status();
    assert!(status.unwrap().success());
}

async fn work(runtime: impl Runtime, url: String) {
    connect(&runtime, &url).await.work().unwrap().limit(50).unwrap().run().await.unwrap();
}

/// Does nothing, unless the environment has a role for it.
#[test]
fn a_process_in_its_role() {
    let (Ok(role), Ok(url)) = (env::var(ROLE), env::var(URL)) else { return };
    match role.as_str() {
        "worker on smol" => Smol.block_on(work(Smol, url)),
        "worker on async-std" => {
            let async_std = forloop_async_std::AsyncStd;
            async_std.block_on(work(async_std, url));
        }
        "worker on tokio" => {
            let tokio = forloop_tokio::OwnedRuntime::multi_thread(None).unwrap();
            tokio.block_on(work(tokio.runtime(), url));
        }
        _ => {
            let summary = Smol.block_on(settle(&Smol, &url, items()));
            println!("settled: {summary}");
        }
    }
}

/// The items of most tests.
pub(crate) fn items() -> Vec<u64> {
    (0..6_000).collect()
}
