//! [`AnyRuntime`], one of the enabled runtimes, and [`runtime`], which picks it.

use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Duration;
use std::{fmt, io};

use forloop_core::{Spawn, SpawnBlocking, Timer};

/// One of the runtimes that are enabled as features.
///
/// [`runtime()`] picks one; [`run`](crate::run) passes one to the program.
#[derive(Debug, Clone)]
pub struct AnyRuntime {
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    #[cfg(feature = "tokio")]
    Tokio(forloop_tokio::Tokio),
    #[cfg(feature = "smol")]
    Smol(forloop_smol::Smol),
    #[cfg(feature = "async-std")]
    AsyncStd(forloop_async_std::AsyncStd),
    #[cfg(feature = "sim")]
    Sim(forloop_sim::Sim),
}

/// Picks the runtime to use here, of those that are enabled as features.
///
/// It is the runtime around the caller, if one of the enabled ones is. Elsewhere it is tokio if that feature is enabled,
/// else smol, else async-std. tokio comes first because its clients, such as reqwest, sqlx and tonic, work nowhere else,
/// while others work inside tokio as well. Call this once, before a loop starts, and pass the value.
///
/// Where no tokio runtime surrounds the caller, the first call starts one with a thread per core, which runs as long as
/// the process does.
///
/// # Errors
///
/// Returns [`NoRuntime`] if no runtime feature is enabled, if `sim` is the only one and no simulation surrounds the
/// caller, or if the system cannot start the runtime. The message names the cure.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "smol")]
/// # fn main() -> Result<(), forloop::NoRuntime> {
/// let runtime = forloop::runtime()?;
/// let task = forloop::spawn(&runtime, async { 6 * 7 });
/// assert_eq!(futures_lite::future::block_on(task), Ok(42));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "smol"))]
/// # fn main() {}
/// ```
pub fn runtime() -> Result<AnyRuntime, NoRuntime> {
    let found: Option<AnyRuntime> = None;
    #[cfg(feature = "sim")]
    let found = found.or_else(|| forloop_sim::Sim::current().map(AnyRuntime::from));
    #[cfg(feature = "tokio")]
    let found = found.or_else(|| forloop_tokio::Tokio::current().ok().map(AnyRuntime::from));
    #[cfg(feature = "smol")]
    let found = found.or_else(|| forloop_smol::Smol::current().map(AnyRuntime::from));
    #[cfg(feature = "async-std")]
    let found = found.or_else(|| forloop_async_std::AsyncStd::current().map(AnyRuntime::from));
    // Nothing surrounds the caller.
    #[cfg(feature = "tokio")]
    let found = match found {
        Some(found) => Some(found),
        None => Some(shared_tokio()?.into()),
    };
    #[cfg(feature = "smol")]
    let found = found.or(Some(forloop_smol::Smol.into()));
    #[cfg(feature = "async-std")]
    let found = found.or(Some(forloop_async_std::AsyncStd.into()));
    let is_simulated = cfg!(feature = "sim");
    found.ok_or(if is_simulated { NoRuntime::OutsideSimulation } else { NoRuntime::NoFeature })
}

/// The tokio runtime of programs that have none of their own. It starts when it is first asked for, and runs until the
/// process ends, as smol's does.
#[cfg(feature = "tokio")]
pub(crate) fn shared_tokio() -> Result<forloop_tokio::Tokio, NoRuntime> {
    use std::sync::{Mutex, PoisonError};

    static SHARED: Mutex<Option<forloop_tokio::OwnedRuntime>> = Mutex::new(None);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let owned = match shared.take() {
        Some(owned) => owned,
        None => forloop_tokio::OwnedRuntime::multi_thread(None).map_err(NoRuntime::Io)?,
    };
    Ok(shared.insert(owned).runtime())
}

impl AnyRuntime {
    /// The runtime that polls the caller's future, if one of the enabled ones does. `None` if the caller may block.
    pub(crate) fn surrounding() -> Option<Self> {
        let found: Option<Self> = None;
        #[cfg(feature = "sim")]
        let found = found.or_else(|| forloop_sim::Sim::current().map(Self::from));
        #[cfg(feature = "tokio")]
        let found = found.or_else(|| forloop_tokio::Tokio::polling().map(Self::from));
        #[cfg(feature = "smol")]
        let found = found.or_else(|| forloop_smol::Smol::current().map(Self::from));
        #[cfg(feature = "async-std")]
        let found = found.or_else(|| forloop_async_std::AsyncStd::current().map(Self::from));
        found
    }

    /// Returns the name of the runtime's feature.
    pub fn name(&self) -> &'static str {
        match self.kind {
            #[cfg(feature = "tokio")]
            Kind::Tokio(_) => "tokio",
            #[cfg(feature = "smol")]
            Kind::Smol(_) => "smol",
            #[cfg(feature = "async-std")]
            Kind::AsyncStd(_) => "async-std",
            #[cfg(feature = "sim")]
            Kind::Sim(_) => "sim",
        }
    }
}

#[cfg(feature = "tokio")]
impl From<forloop_tokio::Tokio> for AnyRuntime {
    fn from(runtime: forloop_tokio::Tokio) -> Self {
        Self { kind: Kind::Tokio(runtime) }
    }
}

#[cfg(feature = "smol")]
impl From<forloop_smol::Smol> for AnyRuntime {
    fn from(runtime: forloop_smol::Smol) -> Self {
        Self { kind: Kind::Smol(runtime) }
    }
}

#[cfg(feature = "async-std")]
impl From<forloop_async_std::AsyncStd> for AnyRuntime {
    fn from(runtime: forloop_async_std::AsyncStd) -> Self {
        Self { kind: Kind::AsyncStd(runtime) }
    }
}

#[cfg(feature = "sim")]
impl From<forloop_sim::Sim> for AnyRuntime {
    fn from(runtime: forloop_sim::Sim) -> Self {
        Self { kind: Kind::Sim(runtime) }
    }
}

// Without any runtime this type has no value, and the arguments are unused.
#[cfg_attr(
    not(any(feature = "smol", feature = "async-std", feature = "tokio", feature = "sim")),
    allow(unused)
)]
impl Spawn for AnyRuntime {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        match self.kind {
            #[cfg(feature = "tokio")]
            Kind::Tokio(ref runtime) => runtime.spawn(future),
            #[cfg(feature = "smol")]
            Kind::Smol(ref runtime) => runtime.spawn(future),
            #[cfg(feature = "async-std")]
            Kind::AsyncStd(ref runtime) => runtime.spawn(future),
            #[cfg(feature = "sim")]
            Kind::Sim(ref runtime) => runtime.spawn(future),
        }
    }

    fn threads(&self) -> NonZeroUsize {
        match self.kind {
            #[cfg(feature = "tokio")]
            Kind::Tokio(ref runtime) => runtime.threads(),
            #[cfg(feature = "smol")]
            Kind::Smol(ref runtime) => runtime.threads(),
            #[cfg(feature = "async-std")]
            Kind::AsyncStd(ref runtime) => runtime.threads(),
            #[cfg(feature = "sim")]
            Kind::Sim(ref runtime) => runtime.threads(),
        }
    }
}

#[cfg_attr(
    not(any(feature = "smol", feature = "async-std", feature = "tokio", feature = "sim")),
    allow(unused)
)]
impl SpawnBlocking for AnyRuntime {
    fn spawn_blocking(&self, future: impl Future<Output = ()> + Send + 'static) {
        match self.kind {
            #[cfg(feature = "tokio")]
            Kind::Tokio(ref runtime) => runtime.spawn_blocking(future),
            #[cfg(feature = "smol")]
            Kind::Smol(ref runtime) => runtime.spawn_blocking(future),
            #[cfg(feature = "async-std")]
            Kind::AsyncStd(ref runtime) => runtime.spawn_blocking(future),
            #[cfg(feature = "sim")]
            Kind::Sim(ref runtime) => runtime.spawn_blocking(future),
        }
    }
}

#[cfg_attr(
    not(any(feature = "smol", feature = "async-std", feature = "tokio", feature = "sim")),
    allow(unused)
)]
impl Timer for AnyRuntime {
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        // Exactly one of these is `Some`. Its time counts from this call.
        #[cfg(feature = "tokio")]
        let tokio = match self.kind {
            Kind::Tokio(ref runtime) => Some(runtime.sleep(duration)),
            #[allow(unreachable_patterns)]
            _ => None,
        };
        #[cfg(feature = "smol")]
        let smol = match self.kind {
            Kind::Smol(ref runtime) => Some(runtime.sleep(duration)),
            #[allow(unreachable_patterns)]
            _ => None,
        };
        #[cfg(feature = "async-std")]
        let async_std = match self.kind {
            Kind::AsyncStd(ref runtime) => Some(runtime.sleep(duration)),
            #[allow(unreachable_patterns)]
            _ => None,
        };
        #[cfg(feature = "sim")]
        let sim = match self.kind {
            Kind::Sim(ref runtime) => Some(runtime.sleep(duration)),
            #[allow(unreachable_patterns)]
            _ => None,
        };
        async move {
            #[cfg(feature = "tokio")]
            if let Some(sleep) = tokio {
                sleep.await;
            }
            #[cfg(feature = "smol")]
            if let Some(sleep) = smol {
                sleep.await;
            }
            #[cfg(feature = "async-std")]
            if let Some(sleep) = async_std {
                sleep.await;
            }
            #[cfg(feature = "sim")]
            if let Some(sleep) = sim {
                sleep.await;
            }
        }
    }

    fn now(&self) -> Duration {
        match self.kind {
            #[cfg(feature = "tokio")]
            Kind::Tokio(ref runtime) => runtime.now(),
            #[cfg(feature = "smol")]
            Kind::Smol(ref runtime) => runtime.now(),
            #[cfg(feature = "async-std")]
            Kind::AsyncStd(ref runtime) => runtime.now(),
            #[cfg(feature = "sim")]
            Kind::Sim(ref runtime) => runtime.now(),
        }
    }
}

/// No runtime can be used here. The message says why, and what to do.
///
/// `Debug` prints the message too, because that is what a `main` that returns this error shows.
#[non_exhaustive]
pub enum NoRuntime {
    /// No runtime feature of forloop is enabled.
    NoFeature,
    /// [`run`](crate::run) was called in a future that the named runtime polls, and would block its thread.
    Inside(&'static str),
    /// `FORLOOP_RUNTIME` names a runtime that is not enabled or does not exist.
    Unknown(String),
    /// Only the simulated runtime is enabled, and no simulation surrounds the caller.
    OutsideSimulation,
    /// The simulation could not run as the environment specifies, for this reason.
    Simulation(String),
    /// The operating system could not start the runtime.
    Io(io::Error),
}

impl fmt::Display for NoRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFeature => f.write_str(
                "no runtime is enabled: enable one of forloop's features `smol`, `async-std` or \
                 `tokio` in Cargo.toml",
            ),
            Self::Inside(runtime) => write!(
                f,
                "`forloop::run` was called inside {runtime}, in a future that it polls: await the loop, \
                 with `forloop::runtime()?` where it needs a runtime",
            ),
            Self::Unknown(name) => write!(
                f,
                "unknown runtime `{name}` in FORLOOP_RUNTIME, expected one of: {}",
                crate::flavor::names().join(", "),
            ),
            Self::OutsideSimulation => f.write_str(
                "no simulation surrounds this code, and the simulated runtime is the only one enabled: \
                 run it inside `forloop::sim::check`, or enable the feature `smol`",
            ),
            Self::Simulation(why) => f.write_str(why),
            Self::Io(_) if !f.alternate() => f.write_str("cannot start the runtime"),
            Self::Io(error) => write!(f, "cannot start the runtime: {error}"),
        }
    }
}

impl fmt::Debug for NoRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

impl Error for NoRuntime {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(any(feature = "smol", feature = "async-std", feature = "sim"))]
    use forloop_core::BlockOn;

    #[test]
    #[cfg(feature = "tokio")]
    fn outside_of_every_runtime_it_is_tokio_which_starts_once() {
        let id = || {
            let runtime = crate::runtime().unwrap();
            assert_eq!(runtime.name(), "tokio");
            let id = async { tokio::runtime::Handle::current().id() };
            futures_lite::future::block_on(forloop_core::spawn(&runtime, id)).unwrap()
        };
        assert_eq!(id(), id());
    }

    #[cfg(any(feature = "smol", feature = "async-std", feature = "sim"))]
    async fn name() -> &'static str {
        crate::runtime().unwrap().name()
    }

    #[test]
    #[cfg(feature = "smol")]
    fn inside_smol_it_is_smol() {
        use forloop_smol::Smol;

        assert_eq!(Smol.block_on(name()), "smol");
        assert_eq!(Smol.block_on(forloop_core::spawn(&Smol, name())), Ok("smol"));
    }

    #[test]
    #[cfg(feature = "async-std")]
    fn inside_async_std_it_is_async_std() {
        assert_eq!(forloop_async_std::AsyncStd.block_on(name()), "async-std");
    }

    #[test]
    #[cfg(feature = "sim")]
    fn inside_a_simulation_it_is_the_simulation() {
        assert_eq!(forloop_sim::Sim::new().block_on(name()), "sim");
    }
}
