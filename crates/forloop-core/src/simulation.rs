//! Hooks for a simulated runtime: it may choose the order of bodies that were woken together, and may ask
//! which bodies are waiting. Without the feature `simulation` the hooks are empty.
//!
//! # Which bodies are waiting
//!
//! A deadlock is reported with the bodies that wait in it. Loops keep no record of them for that purpose, so
//! a loop outside a simulation pays nothing. Instead, when nothing can run any more, the simulation polls
//! every task once more inside [`waiting_bodies`]. Each set of bodies that is polled then
//! reports its bodies and wakes all of them, so that loops inside those report theirs. A task that makes
//! progress when it is polled this way has missed a wake.

#[cfg(not(feature = "simulation"))]
pub use self::disabled::Origin;
#[cfg(not(feature = "simulation"))]
pub(crate) use self::disabled::{
    WaitReport, beginning, choose_order, is_on, is_stepwise, spawning,
};
#[cfg(feature = "simulation")]
pub use self::enabled::{Body, Origin, Waiting, body, simulated, waiting_bodies};
#[cfg(feature = "simulation")]
pub(crate) use self::enabled::{WaitReport, beginning, choose_order, is_on, is_stepwise, spawning};

#[cfg(feature = "simulation")]
mod enabled {
    use alloc::rc::Rc;
    use alloc::vec::Vec;
    use core::cell::{Cell, RefCell};
    use core::panic::Location;

    /// Chooses one of `n` bodies.
    type Choose = Rc<dyn Fn(usize) -> usize>;

    std::thread_local! {
        static CHOOSE: RefCell<Option<Choose>> = const { RefCell::new(None) };
        /// The body that is being started.
        static STARTING: Cell<Option<Body>> = const { Cell::new(None) };
        /// The number of the current request for waiting bodies, and the reports so far.
        static REQUEST: Cell<Option<u64>> = const { Cell::new(None) };
        static REPORTS: RefCell<Vec<Waiting>> = const { RefCell::new(Vec::new()) };
    }

    /// A body of a loop, a child of a group, or a task.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Body {
        /// The index of its item, or its position among its siblings; a task has none.
        pub index: Option<usize>,
        /// The source location of its loop, or of the call that spawned it.
        pub at: &'static Location<'static>,
    }

    /// A body that waits in the task of its loop.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Waiting {
        /// Its index.
        pub index: usize,
        /// The source location of its loop, where that is known.
        pub at: Option<&'static Location<'static>>,
        /// The name of its type.
        pub of_type: &'static str,
    }

    /// Calls `run`. Meanwhile `choose(n)` chooses one of `n` bodies that were woken together. Without
    /// `choose`, they are polled in their usual order.
    pub fn simulated<T>(choose: Option<Choose>, run: impl FnOnce() -> T) -> T {
        struct Restore(Option<Choose>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CHOOSE.set(self.0.take());
            }
        }
        let _restore = Restore(CHOOSE.replace(choose));
        run()
    }

    /// Inside a call that spawns a task: the body that the task is for, if there is one.
    pub fn body() -> Option<Body> {
        STARTING.get()
    }

    /// Calls `poll`, and returns the bodies of each loop that is polled meanwhile. Each of those bodies is
    /// polled once, although it was not woken.
    pub fn waiting_bodies(poll: impl FnOnce()) -> Vec<Waiting> {
        struct Finish;
        impl Drop for Finish {
            fn drop(&mut self) {
                REQUEST.set(None);
            }
        }
        std::thread_local! {
            static REQUESTS: Cell<u64> = const { Cell::new(0) };
        }
        REQUESTS.set(REQUESTS.get() + 1);
        REQUEST.set(Some(REQUESTS.get()));
        let finish = Finish;
        poll();
        drop(finish);
        REPORTS.take()
    }

    /// Whether the loops on this thread are simulated.
    pub(crate) fn is_on() -> bool {
        CHOOSE.with_borrow(Option::is_some)
    }

    /// Whether other tasks may run between any two polls of bodies. Not during a request for waiting bodies,
    /// which is answered in one poll.
    pub(crate) fn is_stepwise() -> bool {
        is_on() && REQUEST.get().is_none()
    }

    /// Reorders a list as the simulation chooses.
    pub(crate) fn choose_order<T>(list: &mut [T]) {
        let Some(choose) = CHOOSE.with_borrow(Clone::clone) else { return };
        for first in 0..list.len().saturating_sub(1) {
            let chosen = first + choose(list.len() - first);
            list[first..=chosen].rotate_right(1);
        }
    }

    /// Until the guard is dropped, the body with this index is being started.
    pub(crate) fn beginning(origin: Origin, index: usize) -> Starting {
        Starting::enter(origin.at.map(|at| Body { index: Some(index), at }))
    }

    /// Until the guard is dropped, a task is being spawned: for the body that is being started, or on its own.
    ///
    /// A guard, because the call of a closure would be the location that the runtime records for the task.
    pub(crate) fn spawning(origin: Origin) -> Starting {
        let alone = origin.at.map(|at| Body { index: None, at });
        Starting::enter(STARTING.get().or(alone))
    }

    /// Restores what was being started before.
    #[must_use = "the body counts as started when this is dropped"]
    pub(crate) struct Starting(Option<Body>);

    impl Starting {
        fn enter(body: Option<Body>) -> Self {
            Self(STARTING.replace(body))
        }
    }

    impl Drop for Starting {
        fn drop(&mut self) {
            STARTING.set(self.0);
        }
    }

    /// The source location of a loop or of a call that spawns.
    #[derive(Debug, Clone, Copy)]
    pub struct Origin {
        at: Option<&'static Location<'static>>,
    }

    impl Origin {
        #[track_caller]
        pub(crate) const fn here() -> Self {
            Self { at: Some(Location::caller()) }
        }

        pub(crate) const fn unknown() -> Self {
            Self { at: None }
        }
    }

    /// A set's part in [`waiting_bodies`].
    #[derive(Debug)]
    pub(crate) struct WaitReport {
        /// The last request that was answered.
        answered: u64,
        origin: Origin,
    }

    impl WaitReport {
        pub(crate) const fn new(origin: Origin) -> Self {
            Self { answered: 0, origin }
        }

        /// Whether there is a request that was not answered yet. It counts as answered from then on.
        pub(crate) fn is_requested(&mut self) -> bool {
            REQUEST
                .get()
                .is_some_and(|request| core::mem::replace(&mut self.answered, request) != request)
        }

        /// Reports a body.
        pub(crate) fn add(&self, index: usize, of_type: &'static str) {
            let waiting = Waiting { index, at: self.origin.at, of_type };
            REPORTS.with_borrow_mut(|reports| reports.push(waiting));
        }
    }
}

#[cfg(not(feature = "simulation"))]
mod disabled {
    #[inline]
    pub(crate) const fn is_on() -> bool {
        false
    }

    #[inline]
    pub(crate) const fn is_stepwise() -> bool {
        false
    }

    #[inline]
    pub(crate) fn choose_order<T>(_list: &mut [T]) {}

    #[inline]
    pub(crate) fn beginning(_origin: Origin, _index: usize) -> Starting {
        Starting
    }

    #[inline]
    pub(crate) fn spawning(_origin: Origin) -> Starting {
        Starting
    }

    pub(crate) struct Starting;

    /// The source location of a loop or of a call that spawns.
    #[derive(Debug, Clone, Copy)]
    pub struct Origin;

    impl Origin {
        #[inline]
        pub(crate) const fn here() -> Self {
            Self
        }

        #[inline]
        pub(crate) const fn unknown() -> Self {
            Self
        }
    }

    #[derive(Debug)]
    pub(crate) struct WaitReport;

    impl WaitReport {
        #[inline]
        pub(crate) const fn new(_origin: Origin) -> Self {
            Self
        }

        #[inline]
        pub(crate) fn is_requested(&mut self) -> bool {
            false
        }

        pub(crate) fn add(&self, _index: usize, _of_type: &'static str) {}
    }
}
