//! A `redis-server` on a free port of the loopback interface, which syncs its log each second.

use std::env;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::common::{Failure, Process};

pub(crate) struct Server {
    port: u16,
    folder: PathBuf,
    process: Process,
}

impl Server {
    /// Starts a server. `None` if there is none on this machine.
    pub(crate) fn start() -> Result<Option<Self>, Failure> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("redis-server");
        let folder = env::temp_dir().join(format!("forloop-bench-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder)?;
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.args(["--appendonly", "yes", "--dir"]).arg(&folder).stdout(Stdio::null());
        let process = match command.stdin(Stdio::null()).spawn() {
            Ok(child) => Process(child),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::remove_dir_all(&folder)?;
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let mut server = Self { port, folder, process };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = server.process.0.try_wait()? {
                return Err(format!("redis-server has ended: {status}").into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(Some(server))
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn version(&self) -> Result<String, Failure> {
        Ok(format!("Redis {}", self.fact("server", "redis_version")?))
    }

    /// The most memory that it has used, in bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64, Failure> {
        Ok(self.fact("memory", "used_memory_peak")?.parse()?)
    }

    /// The processor time that it has used.
    pub(crate) fn cpu(&self) -> Result<f64, Failure> {
        let times = ["used_cpu_user", "used_cpu_sys"].map(|name| self.fact("cpu", name));
        times.into_iter().try_fold(0.0, |sum, time| Ok(sum + time?.parse::<f64>()?))
    }

    fn fact(&self, section: &str, name: &str) -> Result<String, Failure> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        write!(stream, "INFO {section}\r\nQUIT\r\n")?;
        let mut facts = String::new();
        stream.read_to_string(&mut facts)?;
        let prefix = format!("{name}:");
        let fact = facts.lines().find_map(|line| line.strip_prefix(&prefix));
        Ok(fact.ok_or("the server does not say it")?.trim().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its files go with it.
        let _killed = self.process.0.kill();
        let _ended = self.process.0.wait();
        let _removed = fs::remove_dir_all(&self.folder);
    }
}
