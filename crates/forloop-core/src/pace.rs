//! The pace of starts: whether a turn has lasted long because of them.
//!
//! To pull an item may take long, if the source is an iterator that reads from a disk, and so may the first poll of a body.
//! Meanwhile the loop polls no other body, and its executor no other task. So a loop reads the clock between starts, and
//! yields when its turn has lasted longer than [`LONG`](forloop_budget::LONG). The next turn begins with a round.
//!
//! **Rest.** A single-threaded executor looks at its timers and sockets when it has nothing to poll, or else after a number
//! of polls: tokio after 61. A loop that yields is always there to be polled. So after a turn that has lasted long it starts
//! nothing for [`REST`] turns, or until as much time has passed, and only polls the bodies that were woken.
//!
//! **Costs.** A loop over cheap items must not pay for this: to read the clock takes longer than some bodies do. So the
//! number of starts between two looks doubles while the source is fast, up to [`MOST_WATCHED`], and is one again after a
//! turn that has lasted long. A source that is slow delays bodies by one item, and one that becomes slow by so many, once.
//!
//! A source whose size is known exactly is most often in memory: a vector, a range. Its [first](FIRST_UNWATCHED) bodies start
//! without a look, and a loop over few items never reads the clock. Later, up to [`MOST_UNWATCHED`] bodies start between two
//! looks.

use forloop_budget::WorkStart;

use crate::simulation;

/// The most starts between two looks at the clock while starts are watched.
const MOST_WATCHED: usize = 16;

/// The most starts between the first two looks of a turn.
const FIRST_WATCHED: usize = 4;

/// The bodies that start unwatched at first over a source of exact size.
const FIRST_UNWATCHED: usize = 16;

/// The most bodies that start unwatched later over a source of exact size. They are many, because for a loop of bodies that
/// are ready at once each look is a cost.
const MOST_UNWATCHED: usize = 512;

/// The turns without starts after one that has lasted long.
const REST: usize = 64;

/// When the loop reads the clock, and what it has seen.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Starts until the next look at the clock.
    left: usize,
    /// Starts between two looks; unwatched, if they are more than [`MOST_WATCHED`].
    interval: usize,
    /// The most that it may be.
    most: usize,
    watch: Watch,
}

#[derive(Debug)]
enum Watch {
    /// There was no look in this turn.
    Off,
    /// The first look of this turn.
    Since(WorkStart),
    /// The last turn with starts has lasted long. It ended then, and so many turns have followed.
    Resting(WorkStart, usize),
}

impl Pace {
    /// The pace of a loop over any source.
    #[inline]
    pub(crate) const fn watched() -> Self {
        Self { left: 0, interval: 1, most: MOST_WATCHED, watch: Watch::Off }
    }

    /// Takes note of the size hint of the source, before the first start.
    #[inline]
    pub(crate) fn set_size_hint(&mut self, (lower, upper): (usize, Option<usize>)) {
        if upper == Some(lower) {
            self.left = FIRST_UNWATCHED;
            self.most = MOST_UNWATCHED;
            self.interval = MOST_UNWATCHED / 2;
        }
    }

    /// How many bodies may start before [`must_yield`](Self::must_yield) is asked.
    #[inline]
    pub(crate) const fn left(&self) -> usize {
        self.left
    }

    /// Whether [`must_yield`](Self::must_yield) must be asked before the next start.
    #[inline]
    pub(crate) const fn is_look_due(&self) -> bool {
        self.left == 0
    }

    /// Counts bodies that have started, at most as many as were [left](Self::left).
    #[inline]
    pub(crate) const fn count(&mut self, started: usize) {
        self.left -= started;
    }

    /// Looks at the clock. Whether the turn must end before anything else starts.
    #[cold]
    #[inline(never)]
    pub(crate) fn must_yield(&mut self) -> bool {
        // A simulation has a time of its own.
        if simulation::is_on() {
            self.left = usize::MAX;
            return false;
        }
        match &mut self.watch {
            Watch::Resting(since, turns) if *turns < REST && !since.is_long_ago() => {
                *turns += 1;
                return true;
            }
            Watch::Off | Watch::Resting(..) => {
                self.watch = Watch::Since(WorkStart::now());
                self.left = self.interval.min(FIRST_WATCHED);
            }
            Watch::Since(turn_start) if turn_start.is_long_ago() => {
                self.watch = Watch::Resting(WorkStart::now(), 1);
                self.interval = 1;
                return true;
            }
            Watch::Since(_) => {
                self.interval = (2 * self.interval).min(self.most);
                self.left = self.interval;
                if self.interval > MOST_WATCHED {
                    self.watch = Watch::Off;
                }
            }
        }
        false
    }

    /// The task returns to its executor, or is polled again. The next turn is timed from its own first look.
    #[inline]
    pub(crate) fn end_turn(&mut self) {
        if let Watch::Since(_) = self.watch {
            self.watch = Watch::Off;
            self.left = 0;
        }
    }
}
