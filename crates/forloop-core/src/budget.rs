//! The cooperative budget: the work that a task does before it returns to its executor.
//!
//! The turn of a task is one poll by its executor. A loop yields after [`BUDGET`] polls of bodies. Loops may be nested: the
//! body of one awaits another. If each counted only its own polls, their turns would multiply: 256 turns of a loop inside
//! each turn of the loop around it. So the loops of a task share one count.
//!
//! **The count** is a thread-local variable, because nothing else leads from a body to the loops around it. It is zero while
//! this thread polls no loop. A loop that is polled [enters](Turn::enter) the turn: the outermost begins a new count, and the
//! others continue with it. A loop that yields uses up [the rest](end_turn) of the turn, so the loops around it yield, too.
//!
//! **Runs.** Most loops poll bodies that poll no loops, and many of them in a run. So a loop counts its polls on its own, and adds
//! them to the shared count when it [returns](Nesting::leave). There it learns whether its bodies poll loops. From then on
//! it gets [one poll at a time](Nesting::grant) from the shared count. In its first turn it may poll more: one run of bodies, in
//! which each loop makes at least one poll.
//!
//! **Progress.** A loop that is polled when nothing is left polls one body even so. Something that is no loop may be between
//! it and the loop around it: a body may `join!` two loops, and the first may use up every turn. There may even be an executor:
//! a body may call `block_on`. A loop in there is polled again and again within one turn. Each time, what it may do doubles,
//! up to the whole budget, which it shares with the loops in its bodies.
//!
//! **Costs.** An entry and an exit for each poll of a loop, some fifteen instructions together, and nothing for a body.
//!
//! Without `std` there is no thread-local variable, and each loop has a count of its own.

use crate::simulation::is_stepwise;

/// The number of body polls after which a loop yields.
pub(crate) const BUDGET: usize = 256;

/// The number of polls of woken bodies after which a loop yields. In a simulation it is one, so that any
/// other task may run between two polls.
#[inline]
pub(crate) fn budget() -> usize {
    if is_stepwise() { 1 } else { BUDGET }
}

/// One poll of a loop, as a part of the turn of its task. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    /// The count before this poll.
    outer: usize,
    /// The polls of this turn before this poll.
    first: usize,
}

impl Turn {
    /// Enters the turn of the task. `polls` are those that the loop has made in it before, and then all of this turn.
    pub(crate) fn enter(polls: &mut usize, repolls: &mut Repolls) -> Self {
        let outer = count::get();
        if outer == NO_LOOP {
            count::begin_turn();
        } else {
            *polls = (*polls).max(repolls.limit(polls_of(outer)));
        }
        set_polls(*polls);
        Self { outer, first: *polls }
    }

    /// Enters the turn of the task with a loop and what is polled beside it.
    #[inline]
    pub(crate) fn enter_beside(repolls: &mut Repolls) -> Self {
        if count::get() != NO_LOOP {
            return Self::enter(&mut 0, repolls);
        }
        count::begin_turn();
        set_polls(0);
        Self { outer: NO_LOOP, first: 0 }
    }

    /// Of the `polls` of this turn, keeps those of the loop, which had made `own` before this poll.
    pub(crate) fn keep_own(&self, polls: &mut usize, own: usize) {
        *polls = own + (*polls - self.first);
    }
}

impl Drop for Turn {
    #[inline]
    fn drop(&mut self) {
        count::set(match self.outer {
            NO_LOOP => NO_LOOP,
            // Coroutines that share the thread may have set any count.
            outer => {
                let added = polls_of(count::get()).saturating_sub(self.first);
                let polls = (polls_of(outer) + added).min(MOST);
                (polls + 1) | HAS_LOOPS | IS_NESTED
            }
        });
    }
}

/// Whether loops that share the count have used up the turn.
pub(crate) fn is_turn_over() -> bool {
    polls_of(count::get()) >= BUDGET
}

/// Uses up the rest of the turn: the task returns to its executor.
pub(crate) fn end_turn() {
    match count::get() {
        NO_LOOP => {}
        count => count::set(count + BUDGET),
    }
}

/// Adds `bodies` that a loop has polled to the `polls` of this turn, and the polls of loops in them.
pub(crate) fn count_polls(polls: &mut usize, bodies: usize) {
    *polls = polls_of(count::get()).max(*polls) + bodies;
    set_polls(*polls);
}

#[inline]
fn set_polls(polls: usize) {
    count::set(polls + 1);
}

fn polls_of(count: usize) -> usize {
    (count & !(IS_NESTED | HAS_LOOPS)).saturating_sub(1)
}

/// What a loop that polls many bodies in a run knows of loops around it and in its bodies.
#[derive(Debug)]
pub(crate) struct Nesting {
    /// [`HAS_LOOPS`] if bodies have polled loops, or zero.
    has_loops: usize,
    /// What this poll needs if the loop is in another one or has others in its bodies.
    nested: Option<Nested>,
    repolls: Repolls,
}

impl Nesting {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self { has_loops: 0, nested: None, repolls: Repolls::new() }
    }

    /// Enters the turn of the task. `polls` are those that the loop has made in it before. Then they are those of this turn;
    /// or, if bodies poll loops, so many that one is left. The loop may be polled [beside](Turn::enter_beside) something else.
    #[inline]
    pub(crate) fn enter(&mut self, polls: &mut usize, is_beside: bool) -> Turn {
        let outer = count::get();
        if outer | self.has_loops > usize::from(is_beside) {
            return self.enter_nested(polls);
        }
        set_polls(*polls);
        Turn { outer, first: *polls }
    }

    #[cold]
    fn enter_nested(&mut self, polls: &mut usize) -> Turn {
        let own = *polls;
        let turn = Turn::enter(polls, &mut self.repolls);
        count::set(count::get() | IS_NESTED);
        if self.has_loops != 0 {
            *polls = (*polls).max(budget() - 1);
        }
        self.nested = Some(Nested { own, counted: *polls });
        turn
    }

    /// If `polls` have reached the budget, and bodies poll loops, has one more left. `false` if the turn is used up.
    pub(crate) fn grant(&mut self, polls: &mut usize) -> bool {
        if self.has_loops == 0 {
            return false;
        }
        self.count(*polls);
        if polls_of(count::get()) >= budget() {
            return false;
        }
        *polls = budget() - 1;
        if let Some(nested) = &mut self.nested {
            nested.counted = *polls;
        }
        true
    }

    /// Sets `polls` to zero, before the loop sleeps.
    #[inline]
    pub(crate) fn reset(&mut self, polls: &mut usize) {
        if self.nested.is_some() {
            self.count(*polls);
        }
        *polls = 0;
    }

    /// Adds to the shared count what it does not include of `polls`.
    #[cold]
    fn count(&mut self, polls: usize) {
        let Some(nested) = &mut self.nested else { return };
        count::set(count::get() + polls.saturating_sub(nested.counted));
        nested.counted = polls;
    }

    /// Ends a poll. Keeps of the `polls` of this turn those of the loop.
    #[inline]
    pub(crate) fn leave(&mut self, turn: Turn, polls: &mut usize) {
        if count::get() & IS_NESTED != 0 {
            return self.leave_nested(turn, polls);
        }
        count::set(turn.outer);
        core::mem::forget(turn);
    }

    #[cold]
    fn leave_nested(&mut self, turn: Turn, polls: &mut usize) {
        self.has_loops |= count::get() & HAS_LOOPS;
        self.count(*polls);
        if *polls != 0 {
            // The loop has neither yielded nor gone to sleep.
            let own = self.nested.take().map_or(turn.first, |nested| nested.own);
            *polls = own + polls_of(count::get()).saturating_sub(turn.first);
        }
        self.nested = None;
    }
}

/// One poll of a loop that is in another one or has others in its bodies.
#[derive(Debug)]
struct Nested {
    /// The polls of this turn that the loop had made before.
    own: usize,
    /// Those of its polls that the shared count includes.
    counted: usize,
}

/// How often a loop was polled in one turn when the turn was used up.
#[derive(Debug)]
pub(crate) struct Repolls {
    turn: usize,
    times: u32,
}

impl Repolls {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self { turn: usize::MAX, times: 0 }
    }

    /// The polls of this turn, for a loop in others that have made `polls`: less than the budget, so that the loop makes
    /// progress.
    fn limit(&mut self, polls: usize) -> usize {
        if polls < budget() {
            return polls;
        }
        let turn = count::turn();
        self.times = if self.turn == turn { (self.times + 1).min(BUDGET.ilog2()) } else { 0 };
        self.turn = turn;
        budget().saturating_sub(1 << self.times)
    }
}

/// The polls of a turn after which they are not counted: an executor inside a body may run for long.
const MOST: usize = 1 << 16;

/// The count while this thread polls no loop. Otherwise it is one more than the polls of this turn.
const NO_LOOP: usize = 0;

/// The bit of the count that says that the loop which is polled is in another one, or has others in its bodies.
const IS_NESTED: usize = 1 << (usize::BITS - 1);

/// The bit of the count that says that bodies of the loop which is polled have polled loops.
const HAS_LOOPS: usize = 1 << (usize::BITS - 2);

#[cfg(all(feature = "std", not(forloop_loom)))]
mod count {
    use core::cell::Cell;

    std::thread_local! {
        static COUNT: Cell<usize> = const { Cell::new(super::NO_LOOP) };
        /// The number of this thread's turns so far, except those of loops that know of no other.
        static TURNS: Cell<usize> = const { Cell::new(0) };
    }

    #[inline]
    pub(super) fn get() -> usize {
        COUNT.get()
    }

    #[inline]
    pub(super) fn set(count: usize) {
        COUNT.set(count);
    }

    #[inline]
    pub(super) fn begin_turn() {
        TURNS.set(TURNS.get().wrapping_add(1));
    }

    pub(super) fn turn() -> usize {
        TURNS.get()
    }
}

/// No count: no loop is in another.
#[cfg(not(all(feature = "std", not(forloop_loom))))]
mod count {
    pub(super) fn get() -> usize {
        super::NO_LOOP
    }

    pub(super) fn set(_: usize) {}

    pub(super) fn begin_turn() {}

    pub(super) fn turn() -> usize {
        0
    }
}
