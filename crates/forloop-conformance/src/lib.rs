//! The laws of forloop as tests: an adapter for another runtime runs them in one line.
//!
//! ```ignore
//! forloop_conformance::suite!(MyRuntime::new());
//! ```
//!
//! makes a test of every case of [the table](table) that holds for tasks, with names such as
//! `laws::gather::all_bodies_run_at_once`. The expression is evaluated for each test. Its value implements
//! [`Spawn`], [`Timer`], [`BlockOn`], `Clone`, `Send` and `Sync`. For a runtime of one thread, whose tasks and timers stay
//! there, write `suite!(local name: expression)`. For a runtime without such a value, implement [`Backend`] and
//! [`Spawning`].
//!
//! The [seam] is examined first: whether the runtime keeps the contracts that every law takes for granted. If it does
//! not, the fault is printed in a sentence, and the laws fail without being run.
//!
//! # What is compiled
//!
//! A law is a function that is generic over its backend. If each suite instantiated it for its own runtime, the tests
//! of every adapter would compile all laws again. So this crate compiles each law once for each kind of place, and puts
//! the functions into a static table. They are compiled for the backend [`Tasks`], which holds any runtime as a trait
//! object and boxes spawned futures and sleeps. A test looks up its law in the table and calls it with the runtime of
//! the suite.
//!
//! A law on boxed futures cannot detect what depends on the types of a runtime. So the module `laws::typed` has a
//! few cases that are compiled for the backend's own type.
//!
//! | feature | laws for |
//! |---|---|
//! | `tasks`, the default | backends whose bodies are tasks |
//! | `workers` | the same backends, with loops on a worker pool: [`suite!(my_workers: Workers(MyRuntime::new()))`](Workers) |
//! | `in-task` | bodies in the caller's task: [`Inline`], [`ParentWaker`] |
//!
//! A failing test prints at once the ids that do not hold, and the table describes them.
//!
//! | variable | effect |
//! |---|---|
//! | `FORLOOP_PATIENCE=60` | a test that hangs fails after so many seconds, and not after ten minutes |
//! | `FORLOOP_SEAM=ignore` | the laws are run although the seam does not hold |
//!
//! # An adapter, and the line that tests it
//!
//! This is `tests/pool.rs` of this crate. All cases hold on it. It needs `async-channel`, `async-io` and
//! `async-task`.
//!
//! ```ignore
#![doc = include_str!("../tests/pool.rs")]
//! ```
//!
//! # For other test suites
//!
//! [`CASES`] lists the cases, and [`laws`] has their functions. The probes ([`Gate`], [`Alive`], [`Peak`], [`Log`],
//! [`FairMutex`]) observe bodies without sleeping, and [`VirtualClock`] runs a future without waiting for its timers.
//! With the feature `in-task`, [`suite!(in_task)`](suite) runs the cases without a runtime. They do not depend on an
//! adapter, so forloop's own tests run them.
//!
//! [`Spawn`]: forloop_core::Spawn
//! [`Timer`]: forloop_core::Timer
//! [`BlockOn`]: forloop_core::BlockOn

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backend;
mod cases;
mod compiled;
pub mod laws;
mod one_thread;
mod probe;
mod runner;
pub mod seam;
pub mod strategies;
mod tasks;
mod workers;

pub(crate) use crate::backend::boxed;
pub use crate::backend::{Backend, Group, Inline, Job, LONG, ParentWaker, Spawning, job};
pub use crate::cases::{Backends, CASES, Case};
pub use crate::compiled::{Erase, Erased};
pub use crate::one_thread::{Entering, OneThread, ThreadClock, ThreadSpawn};
pub use crate::probe::{
    Alive, FairMutex, FairMutexGuard, Gate, Guard, Log, PanicOnDrop, Peak, TickingClock,
    VirtualClock, eventually, long_after, needs_many_tasks, on_time, seconds, yields,
};
pub use crate::runner::{
    check, check_row, check_seeds, check_typed, patience, run_cases, with_watchdog,
};
pub use crate::tasks::{AnyClock, AnyLocal, AnyPlace, AnyRuntime, AnyScope, TaskPlace, Tasks};
pub use crate::workers::Workers;

pub mod table {
    #![doc = include_str!("../CONFORMANCE.md")]

    // For the links.
    #[allow(unused_imports)]
    use crate::{Backend, Tasks, laws::*, seam, suite};
}

/// Makes a module of tests: every case on one backend.
///
/// - `suite!(expression)` is for a runtime, in a module `laws`. The expression is evaluated for each test, and its value
///   implements [`Erase`], as every runtime value does. The module `laws::seam` has a test for each row of the
///   [seam], which the first test examines. The module `laws::typed` has a few cases that are compiled for the type of
///   the backend.
/// - `suite!(name: expression)` is the same in a module `name`, for several runtimes in one file. The name must differ from
///   every name that the file uses otherwise: a module `tokio` would hide the crate `tokio`.
/// - `suite!(local name: expression)` is for a runtime of one thread, whose futures and timers may stay there. The value
///   implements [`SpawnLocal`], [`LocalTimer`] and [`BlockOn`], and is put into [`OneThread`]. The laws of worker pools are
///   left out, because a pool needs a runtime that is [`Spawn`]; how many they are is printed.
/// - `suite!(in_task)` is for bodies in the caller's task, without a runtime: every case that does not require tasks.
/// - `suite!(parent_waker)` is for bodies that are polled with the waker of the loop: every case that requires
///   neither tasks nor a waker for each body.
/// - `suite!(name, seed in seeds => expression)` is for simulated runtimes. It runs each case once for each seed, a
///   `u64`, from which the expression makes a backend.
///
/// [`BlockOn`]: forloop_core::BlockOn
/// [`LocalTimer`]: forloop_core::LocalTimer
/// [`Spawn`]: forloop_core::Spawn
/// [`SpawnLocal`]: forloop_core::SpawnLocal
#[macro_export]
macro_rules! suite {
    (in_task) => {
        mod in_task {
            const SUITE: &str = "in_task";

            fn backend() -> $crate::Erased {
                $crate::Erase::erase(<$crate::Inline as ::core::default::Default>::default())
            }

            $crate::__cases! { __suite in_task }
        }
    };
    (parent_waker) => {
        mod parent_waker {
            const SUITE: &str = "parent_waker";

            fn backend() -> $crate::Erased {
                $crate::Erase::erase(<$crate::ParentWaker as ::core::default::Default>::default())
            }

            $crate::__cases! { __suite anywhere }
        }
    };
    ($name:ident, $seed:ident in $seeds:expr => $backend:expr $(,)?) => {
        mod $name {
            const SUITE: &str = stringify!($name);

            fn backend($seed: u64) -> $crate::Erased {
                #[allow(unused_imports)]
                use super::*;

                $crate::Erase::erase($backend)
            }

            fn seeds() -> impl ::core::iter::Iterator<Item = u64> + Send {
                #[allow(unused_imports)]
                use super::*;

                $seeds
            }

            $crate::__cases! { __suite seeded }
        }
    };
    ($(#[$attribute:meta])* local $name:ident: $backend:expr $(,)?) => {
        $crate::__spawned! {
            local $(#[$attribute])* $name stringify!($name), $crate::OneThread::new($backend)
        }
    };
    ($(#[$attribute:meta])* $name:ident: $backend:expr $(,)?) => {
        $crate::__spawned! { spawned $(#[$attribute])* $name stringify!($name), $backend }
    };
    ($backend:expr $(,)?) => {
        $crate::__spawned! { spawned laws stringify!($backend), $backend }
    };
}

/// Makes the module of a suite for a runtime.
#[doc(hidden)]
#[macro_export]
macro_rules! __spawned {
    ($kind:ident $(#[$attribute:meta])* $module:ident $name:expr, $backend:expr) => {
        $(#[$attribute])*
        mod $module {
            const SUITE: &str = $name;

            static SEAM: $crate::seam::Seam = $crate::seam::Seam::$kind();

            fn typed() -> impl $crate::Spawning + $crate::Erase {
                // The names in the expression are those outside of this module.
                #[allow(unused_imports)]
                use super::*;

                $backend
            }

            fn backend() -> $crate::Erased {
                $crate::Erase::erase(typed())
            }

            mod seam {
                $crate::__seam! { __seam_tests }
            }

            $crate::__cases! { __suite $kind }

            mod typed {
                $crate::__typed_cases! { __typed $kind }
            }
        }
    };
}

/// Makes a module of tests for each module of laws.
#[doc(hidden)]
#[macro_export]
macro_rules! __suite {
    ($kind:ident $($module:ident { $($on:ident $name:ident: $($id:literal),+;)* })*) => {
        $(
            mod $module {
                $($crate::__test! { $kind $on $module $name })*
            }
        )*
    };
}

/// Makes a test of a case, if it holds on backends of this kind.
#[doc(hidden)]
#[macro_export]
macro_rules! __test {
    (spawned in_task $($case:tt)*) => {};
    (local in_task $($case:tt)*) => {};
    // Those that `Case::needs_workers` finds.
    (local spawned workers $($case:tt)*) => {};
    (local spawned strategies $($case:tt)*) => {};
    (local $($case:tt)*) => { $crate::__test! { spawned $($case)* } };
    (seeded in_task $($case:tt)*) => {};
    (in_task spawned $($case:tt)*) => {};
    (anywhere in_task $($case:tt)*) => {};
    (anywhere spawned $($case:tt)*) => {};
    (seeded $on:ident $module:ident $name:ident) => {
        #[test]
        fn $name() {
            let (module, name) = (stringify!($module), stringify!($name));
            $crate::check_seeds(super::SUITE, module, name, super::seeds(), super::backend);
        }
    };
    (spawned $on:ident $module:ident $name:ident) => {
        #[test]
        fn $name() {
            let (module, name) = (stringify!($module), stringify!($name));
            $crate::check(super::SUITE, Some(&super::SEAM), module, name, super::backend);
        }
    };
    ($kind:ident $on:ident $module:ident $name:ident) => {
        #[test]
        fn $name() {
            let (module, name) = (stringify!($module), stringify!($name));
            $crate::check(super::SUITE, None, module, name, super::backend);
        }
    };
}

/// Makes a test of each row of the seam.
#[doc(hidden)]
#[macro_export]
macro_rules! __seam_tests {
    ($($kind:ident $name:ident: $id:literal, $hung:literal;)*) => {
        $(
            #[test]
            fn $name() {
                $crate::check_row(super::SUITE, &super::SEAM, stringify!($name), super::backend);
            }
        )*
    };
}

/// Makes tests of cases that are compiled for the type of a backend.
#[doc(hidden)]
#[macro_export]
macro_rules! __typed {
    (spawned $($module:ident { $($name:ident;)* })*) => {
        $($crate::__typed! { @test $module { $($name;)* } })*
    };
    (local $($module:ident { $($name:ident;)* })*) => {
        $($crate::__typed! { @local $module { $($name;)* } })*
    };
    (@local workers $names:tt) => {};
    (@local $module:ident $names:tt) => { $crate::__typed! { @test $module $names } };
    (@test $module:ident { $($name:ident;)* }) => {
            mod $module {
                $(
                    #[test]
                    fn $name() {
                        use super::super::{SEAM, SUITE, backend, typed};

                        let (module, name) = (stringify!($module), stringify!($name));
                        $crate::check_typed(SUITE, &SEAM, module, name, backend, || {
                            $crate::laws::$module::$name(typed());
                        });
                    }
                )*
            }
    };
}

/// Runs cases one after another and returns their number, in a program without a test harness or without unwinding.
///
/// `run!(name: expression, filter)` is for runtimes and `run!(in_task, filter)` for the caller's task, as in [`suite!`].
/// `filter` receives the names of a case's module and function, and returns whether to run it. The name of each case
/// is printed to standard error before it runs.
#[macro_export]
macro_rules! run {
    (in_task, $filter:expr $(,)?) => {{
        let backend =
            || $crate::Erase::erase(<$crate::Inline as ::core::default::Default>::default());
        $crate::run_cases("in_task", backend, $filter)
    }};
    ($name:ident: $backend:expr, $filter:expr $(,)?) => {
        $crate::run_cases(stringify!($name), || $crate::Erase::erase($backend), $filter)
    };
}
