//! The laws of forloop, as tests.

mod backend;
pub mod laws;
mod probe;
mod rows;
mod watched;

pub use crate::backend::{Backend, Group, InTask, Job, LONG, Spawning, job};
pub use crate::probe::{
    Alive, Fair, Gate, Guard, Held, Peak, Tally, VirtualClock, eventually, on_time, seconds, yields,
};
pub use crate::rows::{Backends, ROWS, Row};
pub use crate::watched::{check, watched};

/// Makes a module of tests: every row on one backend.
#[macro_export]
macro_rules! suite {
    (in_task) => {
        mod in_task {
            fn backend() -> $crate::InTask {
                <$crate::InTask as ::core::default::Default>::default()
            }

            $crate::__rows! { __suite in_task in_task }
        }
    };
    ($(#[$attribute:meta])* $name:ident: $backend:expr $(,)?) => {
        $(#[$attribute])*
        mod $name {
            fn backend() -> impl $crate::Spawning {
                // What the expression names is what it names outside of this module.
                #[allow(unused_imports)]
                use super::*;

                $backend
            }

            $crate::__rows! { __suite spawned $name }
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
                $($crate::__test! { $kind $on $suite $module $name $($id),+ })*
            }
        )*
    };
}

/// Makes a test of a row, if it holds on backends of this kind.
#[doc(hidden)]
#[macro_export]
macro_rules! __test {
    (spawned in_task $($row:tt)*) => {};
    (in_task spawned $($row:tt)*) => {};
    ($kind:ident $on:ident $suite:ident $module:ident $name:ident $($id:literal),+) => {
        #[test]
        fn $name() {
            $crate::check(stringify!($suite), &[$($id),+], || {
                $crate::laws::$module::$name(super::backend());
            });
        }
    };
}
