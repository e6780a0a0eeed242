//! The compiled laws: for each kind of place a static table with a function for each case that holds there.
//!
//! A test looks up its law in the table and calls it, so the test program itself compiles no law.

use std::fmt;

use crate::cases::{Backends, CASES, Case};

#[cfg(feature = "in-task")]
use crate::backend::{Inline, ParentWaker};
use crate::tasks::Tasks;
#[cfg(feature = "workers")]
use crate::workers::Workers;
#[cfg(feature = "tasks")]
use crate::{backend::Spawning, tasks::TaskPlace};

/// A backend that the compiled laws run on.
///
/// With the feature `tasks`, it is implemented for every runtime value, and for every [`Spawning`](crate::Spawning)
/// backend whose place is a [`TaskPlace`](crate::TaskPlace). With `workers`, it is implemented for the same backends in
/// [`Workers`](crate::Workers), and with `in-task` for [`Inline`](crate::Inline) and
/// [`ParentWaker`](crate::ParentWaker).
#[diagnostic::on_unimplemented(
    message = "the laws are not compiled for `{Self}`",
    note = "a runtime value is `Spawn`, `Timer`, `BlockOn`, `Clone`, `Send` and `Sync`; any other backend is \
            `Spawning`, on the place `Spawned`, `SpawnedLocal` or `SpawnedScoped`",
    note = "`Inline` and `ParentWaker` need the feature `in-task`, and `Workers` needs `workers`"
)]
pub trait Erase {
    /// Erases the type of the backend, and adds the laws for its kind.
    fn erase(self) -> Erased;
}

/// A backend of an erased type, with the laws that were compiled for its kind.
pub struct Erased {
    compiled: Box<dyn RunLaw>,
}

impl Erased {
    /// Combines a backend with a table that has a law for each of [`CASES`].
    #[cfg_attr(not(any(feature = "in-task", feature = "tasks")), expect(dead_code))]
    fn new<B: HasTasks + 'static>(backend: B, laws: &'static [Law<B>]) -> Self {
        Self { compiled: Box::new(Compiled { backend, laws }) }
    }

    /// Returns whether the backend has tasks.
    pub(crate) fn has_tasks(&self) -> bool {
        self.compiled.has_tasks()
    }

    /// Returns whether all tasks and the clock stay on one thread.
    pub(crate) fn is_on_one_thread(&self) -> bool {
        self.compiled.is_on_one_thread()
    }

    /// Returns the backend's tasks, if it has any.
    pub(crate) fn into_tasks(self) -> Option<Tasks> {
        self.compiled.into_tasks()
    }
}

impl fmt::Debug for Erased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Erased").finish_non_exhaustive()
    }
}

impl Case {
    /// Returns the case of this name.
    ///
    /// # Panics
    ///
    /// If there is no such case.
    pub fn named(module: &str, name: &str) -> &'static Self {
        let matches = |case: &&Self| (case.module, case.name) == (module, name);
        CASES.iter().find(matches).unwrap_or_else(|| panic!("there is no case {module}::{name}"))
    }

    /// Returns whether the case holds on backends of this kind.
    pub fn holds_on(&self, backend: &Erased) -> bool {
        let is_without_workers = backend.is_on_one_thread() && self.needs_workers();
        backend.compiled.has(self.position()) && !is_without_workers
    }

    /// Returns whether the law is one of worker pools.
    pub(crate) fn needs_workers(&self) -> bool {
        self.on == Backends::Spawned && ["strategies", "workers"].contains(&self.module)
    }

    /// Runs the law.
    ///
    /// # Panics
    ///
    /// If the law does not hold, or is not for backends of this kind.
    pub fn run(&self, backend: Erased) {
        assert!(self.holds_on(&backend), "{self:?} is not for backends of this kind");
        backend.compiled.run(self.position());
    }

    fn position(&self) -> usize {
        CASES.iter().position(|case| case == self).expect("every case is in `CASES`")
    }
}

/// A law for one kind of backend, if it holds there.
type Law<B> = Option<fn(B)>;

struct Compiled<B: 'static> {
    backend: B,
    laws: &'static [Law<B>],
}

/// [`Compiled`] as a trait object.
trait RunLaw {
    fn has(&self, case: usize) -> bool;

    fn run(self: Box<Self>, case: usize);

    fn has_tasks(&self) -> bool;

    fn is_on_one_thread(&self) -> bool;

    fn into_tasks(self: Box<Self>) -> Option<Tasks>;
}

impl<B: HasTasks> RunLaw for Compiled<B> {
    fn has(&self, case: usize) -> bool {
        self.laws[case].is_some()
    }

    fn run(self: Box<Self>, case: usize) {
        let law = self.laws[case].expect("the case holds on this kind");
        law(self.backend);
    }

    fn has_tasks(&self) -> bool {
        B::HAS_TASKS
    }

    fn is_on_one_thread(&self) -> bool {
        self.backend.is_on_one_thread()
    }

    fn into_tasks(self: Box<Self>) -> Option<Tasks> {
        self.backend.tasks()
    }
}

/// A backend of a compiled kind: its tasks, whose seam is examined before the laws.
trait HasTasks {
    const HAS_TASKS: bool;

    fn is_on_one_thread(&self) -> bool {
        false
    }

    fn tasks(self) -> Option<Tasks>;
}

/// Makes the table of laws for one kind of backend.
#[doc(hidden)]
#[macro_export]
macro_rules! __compiled {
    ($table:ident $backend:ident $kind:ident
     $($module:ident { $($on:ident $name:ident: $($id:literal),+;)* })*) => {
        static $table: &[Law<$backend>] = &[$($(
            $crate::__compiled!(@$kind $on $module $name)
        ),*),*];
    };
    (@spawned in_task $($case:ident)*) => { None };
    (@in_task spawned $($case:ident)*) => { None };
    (@anywhere in_task $($case:ident)*) => { None };
    (@anywhere spawned $($case:ident)*) => { None };
    (@$kind:ident $on:ident $module:ident $name:ident) => { Some($crate::laws::$module::$name) };
}

#[cfg(feature = "in-task")]
crate::__cases! { __compiled IN_TASK Inline in_task }

#[cfg(feature = "in-task")]
impl HasTasks for Inline {
    const HAS_TASKS: bool = false;

    fn tasks(self) -> Option<Tasks> {
        None
    }
}

#[cfg(feature = "in-task")]
impl Erase for Inline {
    fn erase(self) -> Erased {
        Erased::new(self, IN_TASK)
    }
}

#[cfg(feature = "in-task")]
crate::__cases! { __compiled PARENT_WAKER ParentWaker anywhere }

#[cfg(feature = "in-task")]
impl HasTasks for ParentWaker {
    const HAS_TASKS: bool = false;

    fn tasks(self) -> Option<Tasks> {
        None
    }
}

#[cfg(feature = "in-task")]
impl Erase for ParentWaker {
    fn erase(self) -> Erased {
        Erased::new(self, PARENT_WAKER)
    }
}

#[cfg(feature = "tasks")]
crate::__cases! { __compiled TASKS Tasks spawned }

#[cfg(feature = "tasks")]
impl HasTasks for Tasks {
    const HAS_TASKS: bool = true;

    fn is_on_one_thread(&self) -> bool {
        Self::is_on_one_thread(self)
    }

    fn tasks(self) -> Option<Tasks> {
        Some(self)
    }
}

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
impl HasTasks for WorkerPool {
    const HAS_TASKS: bool = true;

    fn tasks(self) -> Option<Tasks> {
        Some(self.0)
    }
}

#[cfg(feature = "workers")]
impl<B: Spawning<Place: TaskPlace> + 'static> Erase for Workers<B> {
    fn erase(self) -> Erased {
        Erased::new(Workers(Tasks::new(self.0)), WORKERS)
    }
}
