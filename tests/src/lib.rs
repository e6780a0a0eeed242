//! Backends and probes for the tests: a promise is written once, as a generic function, and
//! [`rows!`] makes a test of it for every backend.

mod backend;
mod probe;

pub use crate::backend::{
    AsyncStd, Backend, Group, Host, InTask, Job, LONG, Smol, Spawning, TokioCurrentThread,
    TokioMultiThread, job,
};
pub use crate::probe::{Alive, Gate, Guard, Peak, Tally, eventually, yields};

use std::sync::mpsc;
use std::time::Duration;
use std::{panic, thread};

/// How long a test may take before it counts as hung. Far more than any needs.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs a test on a thread of its own and fails it if it hangs.
///
/// # Panics
///
/// If the test panics or hangs.
pub fn watched(test: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let thread = thread::spawn(move || {
        let result = panic::catch_unwind(panic::AssertUnwindSafe(test));
        let _nobody_waits = done.send(());
        if let Err(payload) = result {
            panic::resume_unwind(payload);
        }
    });
    match ended.recv_timeout(LIMIT) {
        Ok(()) => thread.join().unwrap_or_else(|payload| panic::resume_unwind(payload)),
        Err(_) => panic!("hung for {LIMIT:?}"),
    }
}

/// Makes a test per backend of every generic function that is named.
#[macro_export]
macro_rules! rows {
    ($($row:ident),* $(,)?) => {
        $crate::rows!(@on in_task InTask: $($row)*);
        $crate::rows!(@spawned $($row)*);
    };
    (spawned: $($row:ident),* $(,)?) => {
        $crate::rows!(@spawned $($row)*);
    };
    (@spawned $($row:ident)*) => {
        $crate::rows!(@on smol Smol: $($row)*);
        $crate::rows!(@on async_std AsyncStd: $($row)*);
        $crate::rows!(@on tokio_current_thread TokioCurrentThread: $($row)*);
        $crate::rows!(@on tokio_multi_thread TokioMultiThread: $($row)*);
        $crate::rows!(@on host Host: $($row)*);
    };
    (@on $module:ident $backend:ident: $($row:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $row() {
                    $crate::watched(|| super::$row(<$crate::$backend as $crate::Backend>::start()));
                }
            )*
        }
    };
}
