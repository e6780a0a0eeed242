//! A tokio runtime owned by the program's `main`.

use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};

use forloop_core::BlockOn;
use tokio::runtime::{Builder, Runtime};

use crate::runtime::Tokio;

/// A tokio runtime that lives as long as this value.
///
/// Dropping it drops its tasks and waits for threads that are executing a blocking call.
/// [`shutdown_background`](Self::shutdown_background) does not wait.
///
/// # Examples
///
/// ```
/// use forloop_core::BlockOn;
///
/// let owned = forloop_tokio::OwnedRuntime::current_thread()?;
/// let runtime = owned.runtime();
/// let squares = owned.block_on(
///     forloop_core::each(0..4).unbounded().on(runtime).gather(|n| async move { n * n }),
/// );
/// assert_eq!(squares, [0, 1, 4, 9]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct OwnedRuntime {
    inner: Runtime,
}

impl OwnedRuntime {
    /// Creates a runtime that runs tasks on the thread that blocks on it.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system if it cannot provide the resources of a runtime.
    pub fn current_thread() -> io::Result<Self> {
        Ok(Self { inner: build(&mut Builder::new_current_thread())? })
    }

    /// Starts a runtime with `threads` worker threads. By default their number is the environment variable
    /// `TOKIO_WORKER_THREADS`, or the number of cores.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system if it cannot provide the resources of a runtime.
    pub fn multi_thread(threads: Option<NonZeroUsize>) -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        if let Some(threads) = threads {
            builder.worker_threads(threads.get());
        }
        Ok(Self { inner: build(&mut builder)? })
    }

    /// Shuts the runtime down without waiting for its threads. A task is dropped at its next await; a blocking call runs
    /// to its end, if the process lasts that long.
    pub fn shutdown_background(self) {
        self.inner.shutdown_background();
    }

    /// Returns the runtime value for loops on this runtime.
    pub fn runtime(&self) -> Tokio {
        Tokio::from(self.inner.handle().clone())
    }
}

/// Builds a runtime with everything that tokio was compiled with.
///
/// With its feature `signal`, tokio panics where it may open no file for its signals.
fn build(builder: &mut Builder) -> io::Result<Runtime> {
    catch_unwind(AssertUnwindSafe(|| builder.enable_all().build())).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        Err(io::Error::other(text.unwrap_or_else(|| "tokio panicked as it started".into())))
    })
}

impl BlockOn for OwnedRuntime {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.inner.block_on(future)
    }
}
