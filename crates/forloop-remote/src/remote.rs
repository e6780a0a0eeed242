//! A connection to a broker, or none.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use forloop_core::{Runtime, Timer};

use crate::bodies::Bodies;
use crate::engine::Engine;
use crate::error::RemoteError;
use crate::producer::Producer;
use crate::run::{Run, Where, is_run_name};
use crate::runtime::SharedRuntime;
use crate::settings::Settings;
use crate::status::Status;
use crate::worker::Work;

/// Where named bodies run: in this process, or on workers behind a broker.
///
/// The same program may be producer and worker: it connects in both roles, and then opens a [run](Self::run) or [works](Self::work).
#[derive(Clone)]
pub struct Remote {
    bodies: Bodies,
    runtime: SharedRuntime,
    /// `None` if it is `local:`.
    engine: Option<Arc<dyn Engine>>,
    settings: Settings,
}

impl Remote {
    /// Connects to what a URL names.
    ///
    /// | URL | bodies run |
    /// |---|---|
    /// | `local:` | as tasks of `runtime` in this process; their values pass through serde, too |
    /// | `redis://user:password@host:port/db` | on workers, over Redis or Valkey (feature `redis`); the default port is 6379 |
    /// | `rediss://..` | the same, with TLS (feature `redis-tls`) |
    /// | `unix:///path` | the same, over a Unix socket |
    ///
    /// The URL may contain a password. It is in no error and in no `Debug` output.
    ///
    /// # Errors
    ///
    /// If the scheme is unknown, or the broker cannot be used.
    pub async fn connect(
        runtime: &impl Runtime,
        url: &str,
        bodies: &Bodies,
    ) -> Result<Self, RemoteError> {
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        match scheme {
            "local" => Ok(Self::new(runtime, bodies, None)),
            #[cfg(feature = "redis")]
            "redis" | "rediss" | "valkey" | "valkeys" | "unix" | "redis+unix" => {
                let shared = SharedRuntime::new(runtime.clone());
                let engine = crate::redis::Redis::connect(url, shared, bodies.limit()).await?;
                Ok(Self::new(runtime, bodies, Some(Arc::new(engine))))
            }
            _ => Err(RemoteError::UnknownScheme { scheme: scheme.to_owned() }),
        }
    }

    /// Uses an engine: that of a test, or one for another broker.
    pub fn with_engine(runtime: &impl Runtime, engine: Arc<dyn Engine>, bodies: &Bodies) -> Self {
        Self::new(runtime, bodies, Some(engine))
    }

    /// The engine, unless this is `local:`.
    pub fn engine(&self) -> Option<Arc<dyn Engine>> {
        self.engine.clone()
    }

    fn new(runtime: &impl Runtime, bodies: &Bodies, engine: Option<Arc<dyn Engine>>) -> Self {
        let settings = Settings {
            lease: Duration::from_secs(30),
            patience: Duration::from_secs(60),
            expiry: None,
        };
        let runtime = SharedRuntime::new(runtime.clone());
        Self { bodies: bodies.clone(), runtime, engine, settings }
    }

    /// Sets for how long a worker or a producer may be silent before it counts as dead. The default is 30 seconds.
    ///
    /// Each renews its leases six times in that time, and each second. All producers and workers of a broker should have the same. Less than
    /// 100 milliseconds is 100 milliseconds.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease.max(Duration::from_millis(100));
        self
    }

    /// Sets for how long a producer waits for a broker that is unavailable, or for a worker that serves a body. The default
    /// is 60 seconds.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.settings.patience = patience;
        self
    }

    /// Sets for how long a run outlives its producer. Then workers delete its outcomes, as [`Run::forget`] does. By default
    /// they stay until a producer forgets them.
    ///
    /// A producer that comes later begins anew, also with `once()` bodies. So the expiry should be longer than the longest time
    /// after which a run may still be resumed. It is no less than the [lease](Self::lease).
    ///
    /// # Costs
    ///
    /// None for a job. A worker deletes twelve thousand jobs each second.
    #[must_use]
    pub fn expiry(mut self, expiry: Duration) -> Self {
        self.settings.expiry = Some(expiry);
        self
    }

    /// Returns what the broker has: runs, bodies and workers.
    ///
    /// # Errors
    ///
    /// If this is `local:`, or the broker cannot be used.
    ///
    /// # Costs
    ///
    /// The broker counts the jobs of each run while it does nothing else: some milliseconds for a million.
    pub async fn status(&self) -> Result<Status, RemoteError> {
        let engine = self.engine.as_ref().ok_or(RemoteError::LocalWorker)?;
        Ok(engine.status().await?)
    }

    /// Opens a run, or resumes it: outcomes that are known are ready at once.
    ///
    /// A name has letters, digits, `-`, `_` and `.`. If a producer of this run has died, the call waits until its lease is over.
    ///
    /// # Errors
    ///
    /// If another producer holds the run and renews its lease, or the broker cannot be used.
    ///
    /// # Cancel safety
    ///
    /// A call that was dropped may have acquired the lease, which then ends by itself.
    pub async fn run(&self, name: &str) -> Result<Run, RemoteError> {
        if !is_run_name(name) {
            return Err(RemoteError::RunName(name.to_owned()));
        }
        let place = match &self.engine {
            None => Where::Local { bodies: self.bodies.clone(), runtime: self.runtime.clone() },
            Some(engine) => {
                let token = unique_name();
                // A producer that lives renews its lease meanwhile, and one that has died does not.
                let end = self.runtime.now().saturating_add(self.settings.lease);
                while !engine.hold(name, &token, self.settings.lease, self.settings.expiry).await? {
                    if self.runtime.now() > end {
                        return Err(RemoteError::RunHeld(name.to_owned()));
                    }
                    self.runtime.sleep(self.settings.renewal()).await;
                }
                let (engine, runtime) = (engine.clone(), self.runtime.clone());
                Where::Remote(Producer::start(name, token, engine, runtime, self.settings))
            }
        };
        Ok(Run::new(name, self.bodies.limit(), place))
    }

    /// Makes this process a worker for its bodies.
    ///
    /// # Errors
    ///
    /// If this is `local:`.
    pub fn work(&self) -> Result<Work, RemoteError> {
        let engine = self.engine.clone().ok_or(RemoteError::LocalWorker)?;
        Ok(Work::new(
            unique_name(),
            engine,
            self.bodies.clone(),
            self.runtime.clone(),
            self.settings,
        ))
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Remote");
        debug.field("bodies", &self.bodies).field("settings", &self.settings);
        debug.field("is_local", &self.engine.is_none()).finish_non_exhaustive()
    }
}

/// A name that no other process has: 128 random bits, as the standard library seeds its hash maps.
fn unique_name() -> String {
    let half = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", half(), half())
}
