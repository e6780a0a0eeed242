//! What producers, workers and the measurement share.

use std::error::Error;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use forloop::remote::{Bodies, Body, Remote};

pub(crate) const IDENTITY: Body<u64, u64> = Body::named("identity", 1);

/// The workers, and how many bodies each runs at once.
pub(crate) const WORKERS: usize = 4;
pub(crate) const WORKER_LIMIT: usize = 50;

pub(crate) type Failure = Box<dyn Error>;

pub(crate) async fn connect(url: &str) -> Result<Remote, Failure> {
    let bodies = Bodies::new().with(IDENTITY, |n| async move { Ok(n) });
    // Longer than any pause of a busy machine: no lease ends in a measurement.
    Ok(Remote::connect(&forloop::smol::Smol, url, &bodies).await?.lease(Duration::from_secs(60)))
}

/// A child that is killed when this is dropped.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Result<Self, Failure> {
        Ok(Self(command.stdin(Stdio::null()).spawn()?))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}
