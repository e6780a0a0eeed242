//! The laws of forloop as tests: an adapter for another runtime runs them in one line.
//!
//! ```ignore
//! forloop_conformance::suite!(my_runtime: MyRuntime::new());
//! ```
//!
//! makes a test of every row of [the table](table) that holds for tasks, with names such as
//! `my_runtime::gather::all_bodies_run_at_once`. The expression is evaluated for each test. Its value is
//! [`Spawn`], [`Timer`], [`BlockOn`], `Clone`, `Send` and `Sync`; what is no such value implements
//! [`Backend`] and [`Spawning`] by hand.
//!
//! # What is compiled
//!
//! The laws compile once, in this crate, for each kind of place: not in the tests of an adapter, and not
//! for each adapter. They run on [`Tasks`], which has any backend behind boxed spawns and sleeps. What only
//! types can break is in the module `my_runtime::typed`: a few rows, compiled for the backend's own type.
//!
//! | feature | laws for |
//! |---|---|
//! | `tasks`, the default | backends whose bodies are tasks |
//! | `workers` | these with loops on a worker pool: [`suite!(my_workers: Workers(MyRuntime::new()))`](Workers) |
//! | `in-task` | bodies in the caller's task: [`Inline`], [`ParentWaker`] |
//!
//! A test that fails says which id does not hold, and the table says what that means. A test that
//! hangs fails after ten minutes.
//!
//! # An adapter, and the line that checks it
//!
//! This is `tests/pool.rs` of this crate, word for word, and all rows hold on it. It needs
//! `async-channel`, `async-io` and `async-task`.
//!
//! ```ignore
#![doc = include_str!("../tests/pool.rs")]
//! ```
//!
//! # What else is here
//!
//! [`CASES`] is the list of rows as a value, [`laws`] their functions, for a suite of one's own. The probes
//! ([`Gate`], [`Alive`], [`Peak`], [`Tally`], [`Fair`]) watch bodies without sleeping, and
//! [`VirtualClock`] runs a future in no time. [`suite!(in_task)`](suite) runs the rows without any
//! runtime, with the feature `in-task`: nothing in them depends on an adapter, so forloop's own tests do that.
//!
//! [`Spawn`]: forloop_core::Spawn
//! [`Timer`]: forloop_core::Timer
//! [`BlockOn`]: forloop_core::BlockOn

#![forbid(unsafe_code)]

mod backend;
mod cases;
mod compiled;
pub mod laws;
mod probe;
pub mod strategies;
mod tasks;
mod watched;
mod workers;

pub use crate::backend::{Backend, Group, Inline, Job, LONG, ParentWaker, Spawning, job};
pub use crate::cases::{Backends, CASES, Case};
pub use crate::compiled::{Erase, Erased};
pub use crate::probe::{
    Alive, Bomb, Fair, Gate, Guard, Held, Peak, RestlessClock, Tally, VirtualClock, eventually,
    long_after, on_time, seconds, yields,
};
pub use crate::tasks::{AnyClock, AnyLocal, AnyPlace, AnyRuntime, AnyScope, TaskPlace, Tasks};
pub use crate::watched::{check, check_seeds, check_typed, run_rows, watched};
pub use crate::workers::Workers;

pub mod table {
    #![doc = include_str!("../CONFORMANCE.md")]

    // For the links.
    #[allow(unused_imports)]
    use crate::{Backend, Tasks, laws::*, suite};
}

/// Makes a module of tests: every row on one backend.
///
/// `suite!(name: expression)` for runtimes: the expression is evaluated for each test and gives an
/// [`Erase`] backend, which every runtime value is. A few rows are compiled a second time, for the type of
/// the backend itself: the module `typed` has these.
///
/// `suite!(in_task)` for no runtime at all, and
/// `suite!(parent_waker)` for none and bodies without wakers of their own: every row that is not only for
/// tasks or about a body's own waker.
/// `suite!(name, seed in seeds => expression)` runs each row once for each seed, a `u64`, with which the
/// expression makes a backend: for a runtime that is simulated.
///
/// The module's name is not that of something that the expression names.
#[macro_export]
macro_rules! suite {
    (in_task) => {
        mod in_task {
            fn backend() -> $crate::Erased {
                $crate::Erase::erase(<$crate::Inline as ::core::default::Default>::default())
            }

            $crate::__cases! { __suite in_task in_task }
        }
    };
    (parent_waker) => {
        mod parent_waker {
            fn backend() -> $crate::Erased {
                $crate::Erase::erase(<$crate::ParentWaker as ::core::default::Default>::default())
            }

            $crate::__cases! { __suite anywhere parent_waker }
        }
    };
    ($name:ident, $seed:ident in $seeds:expr => $backend:expr $(,)?) => {
        mod $name {
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

            $crate::__cases! { __suite seeded $name }
        }
    };
    ($(#[$attribute:meta])* $name:ident: $backend:expr $(,)?) => {
        $(#[$attribute])*
        mod $name {
            fn typed() -> impl $crate::Spawning + $crate::Erase {
                // What the expression names is what it names outside of this module.
                #[allow(unused_imports)]
                use super::*;

                $backend
            }

            fn backend() -> $crate::Erased {
                $crate::Erase::erase(typed())
            }

            $crate::__cases! { __suite spawned $name }

            mod typed {
                $crate::__typed_rows! { __typed $name }
            }
        }
    };
}

/// Makes a module of tests for each module of rows.
#[doc(hidden)]
#[macro_export]
macro_rules! __suite {
    ($kind:ident $suite:ident $($module:ident { $($on:ident $name:ident: $($id:literal),+;)* })*) => {
        $(
            mod $module {
                $($crate::__test! { $kind $on $suite $module $name })*
            }
        )*
    };
}

/// Makes a test of a row, if it holds on backends of this kind.
#[doc(hidden)]
#[macro_export]
macro_rules! __test {
    (spawned in_task $($row:tt)*) => {};
    (seeded in_task $($row:tt)*) => {};
    (in_task spawned $($row:tt)*) => {};
    (anywhere in_task $($row:tt)*) => {};
    (anywhere spawned $($row:tt)*) => {};
    (seeded $on:ident $suite:ident $module:ident $name:ident) => {
        #[test]
        fn $name() {
            let (suite, module, name) =
                (stringify!($suite), stringify!($module), stringify!($name));
            $crate::check_seeds(suite, module, name, super::seeds(), super::backend);
        }
    };
    ($kind:ident $on:ident $suite:ident $module:ident $name:ident) => {
        #[test]
        fn $name() {
            let (suite, module, name) =
                (stringify!($suite), stringify!($module), stringify!($name));
            $crate::check(suite, module, name, super::backend);
        }
    };
}

/// Makes tests of rows for the type of a backend.
#[doc(hidden)]
#[macro_export]
macro_rules! __typed {
    ($suite:ident $($module:ident { $($name:ident;)* })*) => {
        $(
            mod $module {
                $(
                    #[test]
                    fn $name() {
                        let (suite, module, name) =
                            (stringify!($suite), stringify!($module), stringify!($name));
                        $crate::check_typed(suite, module, name, || {
                            $crate::laws::$module::$name(super::super::typed());
                        });
                    }
                )*
            }
        )*
    };
}

/// Runs rows one after another in a program that is no test, and gives how many those were: where
/// there is no test harness, or where a panic ends the program.
///
/// `run!(name: expression, which)` for runtimes and `run!(in_task, which)` for none, as in [`suite!`];
/// `which` is asked with the names of a row's module and function whether to run it. Each is named on
/// the standard error output before it runs.
#[macro_export]
macro_rules! run {
    (in_task, $which:expr $(,)?) => {{
        let backend =
            || $crate::Erase::erase(<$crate::Inline as ::core::default::Default>::default());
        $crate::run_rows("in_task", backend, $which)
    }};
    ($name:ident: $backend:expr, $which:expr $(,)?) => {
        $crate::run_rows(stringify!($name), || $crate::Erase::erase($backend), $which)
    };
}
