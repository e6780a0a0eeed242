//! The schedules: how a run chooses between its options.

mod choices;
mod random;

use std::collections::HashMap;

pub use self::choices::{Choices, ParseChoicesError};
pub(crate) use self::random::{Random, mix};
use crate::ready_queue::ReadyQueue;

/// A point at which a run has options.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Point<'a> {
    /// The ready tasks, by number, in the order in which they were woken.
    Tasks(&'a ReadyQueue),
    /// This many things, at least two, in some order: timers of one instant, or bodies woken together.
    Order(usize),
}

impl Point<'_> {
    pub(crate) fn options(self) -> usize {
        match self {
            Self::Tasks(tasks) => tasks.len(),
            Self::Order(options) => options,
        }
    }
}

/// How a run chooses.
#[derive(Debug, Clone)]
pub(crate) enum Schedule {
    /// The first option.
    Fifo,
    /// Any option, with equal probability.
    Random(Random),
    /// The task of the highest priority; the priorities change at a few steps.
    Pct(Pct),
    /// The recorded choices, then the first option.
    Replay { choices: Choices, at: usize },
    /// The choices that bytes encode, then the first option.
    Bytes { bytes: Vec<u8>, at: usize },
}

impl Schedule {
    /// Chooses one of at least two options.
    pub(crate) fn choose(&mut self, point: Point<'_>) -> usize {
        let options = point.options();
        match self {
            Self::Fifo => 0,
            Self::Random(random) => random.below(options as u64) as usize,
            Self::Pct(pct) => pct.choose(point),
            Self::Replay { choices, at } => {
                let choice = choices.as_slice().get(*at).map_or(0, |&choice| choice as usize);
                *at += 1;
                // A list for another program may exceed the options.
                choice.min(options - 1)
            }
            Self::Bytes { bytes, at } => {
                let mut byte = || {
                    let byte = bytes.get(*at).copied();
                    *at += 1;
                    usize::from(byte.unwrap_or(0))
                };
                let number = if options <= 256 { byte() } else { byte() << 8 | byte() };
                number % options
            }
        }
    }
}

/// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi and Nagarakatte, ASPLOS 2010).
///
/// A run finds a bug of depth d, in a program of n tasks and k steps, with a probability of at least
/// 1/(n k^(d-1)).
#[derive(Debug, Clone)]
pub(crate) struct Pct {
    random: Random,
    priorities: HashMap<usize, u64>,
    /// The steps at which the task that would run loses its priority, in descending order.
    changes: Vec<u64>,
    step: u64,
}

impl Pct {
    /// For bugs of the given `depth` in programs of about `steps` steps.
    pub(crate) fn new(seed: u64, depth: u32, steps: u64) -> Self {
        let mut random = Random::seeded(seed);
        let changes = (1..depth).map(|_| random.below(steps.max(1)));
        let mut changes: Vec<u64> = changes.collect();
        changes.sort_unstable_by(|a, b| b.cmp(a));
        Self { random, priorities: HashMap::new(), changes, step: 0 }
    }

    fn choose(&mut self, point: Point<'_>) -> usize {
        let Point::Tasks(tasks) = point else {
            return self.random.below(point.options() as u64) as usize;
        };
        for task in tasks.iter() {
            // Above all lowered priorities.
            let random = &mut self.random;
            self.priorities
                .entry(task)
                .or_insert_with(|| u64::from(u32::MAX) + (random.next() >> 1));
        }
        self.step += 1;
        while self.changes.last().is_some_and(|&change| change < self.step) {
            self.changes.pop();
            let (_, highest) = self.highest(tasks);
            // The task that was lowered last has the lowest priority.
            self.priorities.insert(highest, self.changes.len() as u64);
        }
        self.highest(tasks).0
    }

    /// The task of the highest priority, and its place in the queue before it.
    fn highest(&self, tasks: &ReadyQueue) -> (usize, usize) {
        let priority = |&(_, task): &(usize, usize)| self.priorities.get(&task).copied();
        tasks.iter().enumerate().max_by_key(priority).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_takes_the_first_option_behind_the_end_of_its_list() {
        let choices = Choices::from(vec![2, 9]);
        let mut schedule = Schedule::Replay { choices, at: 0 };
        let chosen: Vec<usize> = (0..4).map(|_| schedule.choose(Point::Order(3))).collect();
        assert_eq!(chosen, [2, 2, 0, 0]);
    }

    #[test]
    fn bytes_choose_and_then_the_first_option_is_taken() {
        let mut schedule = Schedule::Bytes { bytes: vec![4, 1, 2], at: 0 };
        assert_eq!(schedule.choose(Point::Order(3)), 1);
        assert_eq!(schedule.choose(Point::Order(1000)), 258);
        assert_eq!(schedule.choose(Point::Order(1000)), 0);
    }

    #[test]
    fn a_task_keeps_its_priority_until_it_is_lowered() {
        let mut pct = Pct::new(3, 2, 4);
        let mut tasks = ReadyQueue::default();
        tasks.extend([10, 11, 12]);
        let chosen: Vec<usize> = (0..8).map(|_| pct.choose(Point::Tasks(&tasks))).collect();
        let changes = chosen.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(changes <= 1, "{chosen:?}");
    }
}
