//! The laws as machine code: for each kind of place one table, with a function for each row that holds there.
//!
//! A program of tests that runs the laws on a backend looks them up here. It compiles none of them itself.

use std::fmt;

use crate::cases::{CASES, Case};

#[cfg(feature = "in-task")]
use crate::backend::{Inline, ParentWaker};
#[cfg(feature = "workers")]
use crate::workers::Workers;
#[cfg(feature = "tasks")]
use crate::{
    backend::Spawning,
    tasks::{TaskPlace, Tasks},
};

/// A backend that the compiled laws run on.
///
/// With the feature `tasks`, every runtime value is one, and so is every [`Spawning`](crate::Spawning) backend whose
/// place is a [`TaskPlace`](crate::TaskPlace); with `workers`, also these in [`Workers`](crate::Workers); with
/// `in-task`, [`Inline`](crate::Inline) and [`ParentWaker`](crate::ParentWaker).
#[diagnostic::on_unimplemented(
    message = "the laws are not compiled for `{Self}`",
    note = "a runtime value is `Spawn`, `Timer`, `BlockOn`, `Clone`, `Send` and `Sync`; any other backend is \
            `Spawning`, on the place `Spawned`, `SpawnedLocal` or `SpawnedScoped`",
    note = "`Inline` and `ParentWaker` need the feature `in-task`, and `Workers` needs `workers`"
)]
pub trait Erase {
    /// Erases the types of the backend, and adds the laws for its kind.
    fn erase(self) -> Erased;
}

/// A backend, and the laws that were compiled for its kind.
pub struct Erased {
    kind: Box<dyn Kind>,
}

impl Erased {
    /// A backend and a table with a law for each of [`CASES`].
    #[cfg_attr(not(any(feature = "in-task", feature = "tasks")), expect(dead_code))]
    fn new<B: 'static>(backend: B, laws: &'static [Law<B>]) -> Self {
        Self { kind: Box::new(Compiled { backend, laws }) }
    }
}

impl fmt::Debug for Erased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Erased").finish_non_exhaustive()
    }
}

impl Case {
    /// Returns the row of this name.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn named(module: &str, name: &str) -> &'static Self {
        let is_it = |row: &&Self| (row.module, row.name) == (module, name);
        CASES.iter().find(is_it).unwrap_or_else(|| panic!("there is no row {module}::{name}"))
    }

    /// Returns whether the row holds on backends of this kind.
    pub fn holds_on(&self, backend: &Erased) -> bool {
        backend.kind.has(self.position())
    }

    /// Runs the row.
    ///
    /// # Panics
    ///
    /// If the promise does not hold, or is none for backends of this kind.
    pub fn run(&self, backend: Erased) {
        assert!(self.holds_on(&backend), "{self:?} is not for such backends");
        backend.kind.run(self.position());
    }

    fn position(&self) -> usize {
        CASES.iter().position(|row| row == self).expect("a row is one of `CASES`")
    }
}

/// A row on one kind of backend, if it holds there.
type Law<B> = Option<fn(B)>;

struct Compiled<B: 'static> {
    backend: B,
    laws: &'static [Law<B>],
}

/// [`Compiled`] behind `dyn`.
trait Kind {
    fn has(&self, row: usize) -> bool;

    fn run(self: Box<Self>, row: usize);
}

impl<B> Kind for Compiled<B> {
    fn has(&self, row: usize) -> bool {
        self.laws[row].is_some()
    }

    fn run(self: Box<Self>, row: usize) {
        let law = self.laws[row].expect("the row holds on this kind");
        law(self.backend);
    }
}

/// Makes the table of one kind of backend.
#[doc(hidden)]
#[macro_export]
macro_rules! __compiled {
    ($table:ident $backend:ident $kind:ident
     $($module:ident { $($on:ident $name:ident: $($id:literal),+;)* })*) => {
        static $table: &[Law<$backend>] = &[$($(
            $crate::__compiled!(@$kind $on $module $name)
        ),*),*];
    };
    (@spawned in_task $($row:ident)*) => { None };
    (@in_task spawned $($row:ident)*) => { None };
    (@anywhere in_task $($row:ident)*) => { None };
    (@anywhere spawned $($row:ident)*) => { None };
    (@$kind:ident $on:ident $module:ident $name:ident) => { Some($crate::laws::$module::$name) };
}

#[cfg(feature = "in-task")]
crate::__cases! { __compiled IN_TASK Inline in_task }

#[cfg(feature = "in-task")]
impl Erase for Inline {
    fn erase(self) -> Erased {
        Erased::new(self, IN_TASK)
    }
}

#[cfg(feature = "in-task")]
crate::__cases! { __compiled PARENT_WAKER ParentWaker anywhere }

#[cfg(feature = "in-task")]
impl Erase for ParentWaker {
    fn erase(self) -> Erased {
        Erased::new(self, PARENT_WAKER)
    }
}

#[cfg(feature = "tasks")]
crate::__cases! { __compiled TASKS Tasks spawned }

#[cfg(feature = "tasks")]
impl<B: Spawning<Place: TaskPlace> + 'static> Erase for B {
    fn erase(self) -> Erased {
        Erased::new(Tasks::new(self), TASKS)
    }
}

#[cfg(feature = "workers")]
type WorkerPool = Workers<Tasks>;

#[cfg(feature = "workers")]
crate::__cases! { __compiled WORKERS WorkerPool spawned }

#[cfg(feature = "workers")]
impl<B: Spawning<Place: TaskPlace> + 'static> Erase for Workers<B> {
    fn erase(self) -> Erased {
        Erased::new(Workers(Tasks::new(self.0)), WORKERS)
    }
}
