//! Runs an example with workers: `xtask run-with-workers BUILD BUILD BUILD ARGUMENT ...`, which [`super`] starts.
//!
//! It starts a `redis-server`, a worker of each build, and a producer of the first. When some bodies have completed, it kills
//! the first worker. It prints what the producer prints. All of its processes are in its own process group, which
//! `verify` kills if this process fails or takes too long.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::Duration,
};

/// The name of this command. The help does not list it, because only `verify` runs it.
pub const COMMAND: &str = "run-with-workers";

/// The runtimes of the three builds.
const RUNTIMES: [&str; 3] = ["smol", "async-std", "tokio-multi-thread"];

/// How many bodies complete before a worker is killed.
const COMPLETED: u64 = 100;

/// How often the server is asked.
const INTERVAL: Duration = Duration::from_millis(2);

/// Returns the program and its arguments.
pub(super) fn launch(
    builds: Vec<OsString>,
    own: impl Iterator<Item = OsString>,
) -> io::Result<(PathBuf, Vec<OsString>)> {
    let command = [OsString::from(COMMAND)].into_iter();
    Ok((env::current_exe()?, command.chain(builds).chain(own).collect()))
}

/// Runs the command. The exit code is that of the producer, or 2 on an error.
pub fn main(mut arguments: lexopt::Parser) -> ExitCode {
    let arguments = match arguments.raw_args() {
        Ok(arguments) => arguments.collect::<Vec<_>>(),
        Err(error) => return refuse(&error.to_string()),
    };
    let Some((builds, own)) = arguments.split_at_checked(RUNTIMES.len()) else {
        return refuse("three builds of an example are needed");
    };
    run(builds, own).unwrap_or_else(|error| refuse(&error.to_string()))
}

fn refuse(error: &str) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(2)
}

fn run(builds: &[OsString], own: &[OsString]) -> io::Result<ExitCode> {
    let server = Server::start()?;
    let broker = format!("redis://127.0.0.1:{}", server.port);
    let process = |build: &OsString, runtime: &str| {
        let mut command = Command::new(build);
        command.args(own).args(["--broker", &broker]).env("FORLOOP_RUNTIME", runtime);
        command.stdin(Stdio::null());
        command
    };
    let mut workers = Vec::new();
    for (build, runtime) in builds.iter().zip(RUNTIMES) {
        let mut worker = process(build, runtime);
        workers.push(Process(worker.arg("--work").stdout(Stdio::null()).spawn()?));
    }
    let mut producer = Process(process(&builds[0], RUNTIMES[0]).spawn()?);
    while server.completed()? < COMPLETED {
        if let Some(status) = producer.0.try_wait()? {
            let why = format!("the producer has ended before a worker was killed: {status}");
            return Err(io::Error::other(why));
        }
        thread::sleep(INTERVAL);
    }
    workers.remove(0).0.kill()?;
    let status = producer.0.wait()?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2)))
}

/// A process that is killed when this is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// A `redis-server` on a free port of the loopback interface, which stores nothing on disk.
struct Server {
    port: u16,
    folder: PathBuf,
    process: Process,
}

impl Server {
    fn start() -> io::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = env::temp_dir().join(format!("forloop-verify-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let process = Process(spawn(port, &folder)?);
        let mut server = Self { port, folder, process };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = server.process.0.try_wait()? {
                return Err(io::Error::other(format!("redis-server has ended: {status}")));
            }
            thread::sleep(INTERVAL);
        }
        Ok(server)
    }

    /// How many bodies have completed: the number of jobs that were deleted.
    fn completed(&self) -> io::Result<u64> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.write_all(b"INFO commandstats\r\nQUIT\r\n")?;
        let mut statistics = String::new();
        stream.read_to_string(&mut statistics)?;
        Ok(calls(&statistics, "xdel"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing was written to it.
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

fn spawn(port: u16, folder: &Path) -> io::Result<Child> {
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]);
    command.arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).spawn()
}

/// Returns how often a command was called, of what `INFO commandstats` prints.
fn calls(statistics: &str, command: &str) -> u64 {
    let prefix = format!("cmdstat_{command}:calls=");
    let calls = statistics.lines().find_map(|line| line.strip_prefix(&prefix)?.split(',').next());
    calls.and_then(|calls| calls.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_those_of_the_command() {
        let statistics = "$70\r\n# Commandstats\r\ncmdstat_xadd:calls=7,usec=9\r\n\
                          cmdstat_xdel:calls=31,usec=52,usec_per_call=5.20\r\n";
        assert_eq!(calls(statistics, "xdel"), 31);
        assert_eq!(calls(statistics, "xack"), 0);
    }
}
