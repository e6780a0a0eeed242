//! What a simulated runtime may ask of the loops that it runs on its thread: to have it choose the order
//! of bodies that were woken together, and to say who waits.
//!
//! Without the feature `simulation` nothing of this is there, and what the core calls is empty.

#[cfg(feature = "simulation")]
pub(crate) use self::asked::{
    Asked, Origin, beginning, choose_order, is_on, is_stepwise, spawning,
};
#[cfg(feature = "simulation")]
pub use self::asked::{Body, Waiting, body, simulated, who_waits};
#[cfg(not(feature = "simulation"))]
pub(crate) use self::unasked::{
    Asked, Origin, beginning, choose_order, is_on, is_stepwise, spawning,
};

#[cfg(feature = "simulation")]
mod asked {
    use alloc::rc::Rc;
    use alloc::vec::Vec;
    use core::cell::{Cell, RefCell};
    use core::panic::Location;

    std::thread_local! {
        static CHOOSE: RefCell<Option<Rc<dyn Fn(usize) -> usize>>> = const { RefCell::new(None) };
        /// The body that is about to begin.
        static BEGINNING: Cell<Option<Body>> = const { Cell::new(None) };
        /// How often it was asked who waits, and those who have said so since.
        static ASKING: Cell<Option<u64>> = const { Cell::new(None) };
        static WAITING: RefCell<Vec<Waiting>> = const { RefCell::new(Vec::new()) };
    }

    /// A body of a loop, a child of a group, or a task.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Body {
        /// The index of its item, or its place among its siblings; a task has none.
        pub index: Option<usize>,
        /// Where its loop was written, or where it was spawned.
        pub at: &'static Location<'static>,
    }

    /// A body that waits in the task of its loop.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Waiting {
        /// Its index, and the place of its loop, where that is known.
        pub index: usize,
        /// Where its loop was written.
        pub at: Option<&'static Location<'static>>,
        /// The name of its type.
        pub of_type: &'static str,
    }

    /// Calls `run`; meanwhile, `choose` chooses one of so many bodies that were woken together. Without it,
    /// they come as ever.
    pub fn simulated<T>(choose: Option<Rc<dyn Fn(usize) -> usize>>, run: impl FnOnce() -> T) -> T {
        struct Restored(Option<Rc<dyn Fn(usize) -> usize>>);
        impl Drop for Restored {
            fn drop(&mut self) {
                CHOOSE.set(self.0.take());
            }
        }
        let _restored = Restored(CHOOSE.replace(choose));
        run()
    }

    /// The body that a runtime is asked to spawn, if it is one.
    pub fn body() -> Option<Body> {
        BEGINNING.get()
    }

    /// Calls `poll`, and gives the bodies of each loop that is polled meanwhile; all of them are polled
    /// once, although nobody has woken them.
    pub fn who_waits(poll: impl FnOnce()) -> Vec<Waiting> {
        struct Asked;
        impl Drop for Asked {
            fn drop(&mut self) {
                ASKING.set(None);
            }
        }
        std::thread_local! {
            static TIMES: Cell<u64> = const { Cell::new(0) };
        }
        TIMES.set(TIMES.get() + 1);
        ASKING.set(Some(TIMES.get()));
        let asked = Asked;
        poll();
        drop(asked);
        WAITING.take()
    }

    /// Whether the loops on this thread are simulated.
    pub(crate) fn is_on() -> bool {
        CHOOSE.with_borrow(Option::is_some)
    }

    /// Whether other tasks may come between any two polls of bodies. Not while it is asked who waits, which
    /// is answered at once.
    pub(crate) fn is_stepwise() -> bool {
        is_on() && ASKING.get().is_none()
    }

    /// Has these come in an order that is chosen.
    pub(crate) fn choose_order<T>(list: &mut [T]) {
        let Some(choose) = CHOOSE.with_borrow(Clone::clone) else { return };
        for first in 0..list.len().saturating_sub(1) {
            let chosen = first + choose(list.len() - first);
            list[first..=chosen].rotate_right(1);
        }
    }

    /// Calls `begin`, which begins a body.
    pub(crate) fn beginning<T>(origin: Origin, index: usize, begin: impl FnOnce() -> T) -> T {
        labelled(origin.at.map(|at| Body { index: Some(index), at }), begin)
    }

    /// Calls `spawn`, which spawns a task: that of a body which is beginning, or one by itself.
    pub(crate) fn spawning<T>(origin: Origin, spawn: impl FnOnce() -> T) -> T {
        let alone = origin.at.map(|at| Body { index: None, at });
        labelled(BEGINNING.get().or(alone), spawn)
    }

    fn labelled<T>(body: Option<Body>, call: impl FnOnce() -> T) -> T {
        struct Begun(Option<Body>);
        impl Drop for Begun {
            fn drop(&mut self) {
                BEGINNING.set(self.0);
            }
        }
        let _begun = Begun(BEGINNING.replace(body));
        call()
    }

    /// Where a loop was written.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Origin {
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

    /// When a set was asked last, and where its loop was written.
    #[derive(Debug)]
    pub(crate) struct Asked {
        last: u64,
        origin: Origin,
    }

    impl Asked {
        pub(crate) const fn new(origin: Origin) -> Self {
            Self { last: 0, origin }
        }

        /// Whether somebody asks who waits, and this has not answered yet.
        pub(crate) fn is_asked(&mut self) -> bool {
            ASKING.get().is_some_and(|time| core::mem::replace(&mut self.last, time) != time)
        }

        /// Says that this body waits.
        pub(crate) fn waits(&self, index: usize, of_type: &'static str) {
            let waiting = Waiting { index, at: self.origin.at, of_type };
            WAITING.with_borrow_mut(|all| all.push(waiting));
        }
    }
}

#[cfg(not(feature = "simulation"))]
mod unasked {
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
    pub(crate) fn beginning<T>(_origin: Origin, _index: usize, begin: impl FnOnce() -> T) -> T {
        begin()
    }

    #[inline]
    pub(crate) fn spawning<T>(_origin: Origin, spawn: impl FnOnce() -> T) -> T {
        spawn()
    }

    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Origin;

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
    pub(crate) struct Asked;

    impl Asked {
        #[inline]
        pub(crate) const fn new(_origin: Origin) -> Self {
            Self
        }

        #[inline]
        pub(crate) fn is_asked(&mut self) -> bool {
            false
        }

        pub(crate) fn waits(&self, _index: usize, _of_type: &'static str) {}
    }
}
