//! The tasks that can run, in the order of their wakes.

/// A queue that removes the k-th of n tasks in O(log n).
///
/// A schedule picks the k-th of the tasks that are ready. In a `VecDeque` each pick moves the shorter side of
/// the queue, n/4 tasks on average if the pick is random, so the cost of a
/// program is quadratic in its tasks. Here a task never moves: each push takes the next slot, and a task that is
/// removed leaves a vacant slot.
///
/// A Fenwick tree counts the occupied slots: node i, counted from 1, covers the last `i & -i` of the
/// first i slots. The k-th occupied slot is found from the largest node downwards: where a node covers at most k
/// tasks, they are skipped, and k falls by that many. Adding or taking a task changes the nodes that cover its
/// slot, at most one of each size.
///
/// Vacant slots are removed when they outnumber the tasks by [`SLACK`]. That visits each slot once and keeps the
/// order. At least half as many tasks were removed before, so the amortised cost is O(1) per task.
#[derive(Debug, Default)]
pub(crate) struct ReadyQueue {
    /// The task in each slot, or `None` in a vacant slot.
    slots: Vec<Option<usize>>,
    /// The counts of the Fenwick tree: node i is at index i - 1.
    counts: Vec<usize>,
    /// The number of occupied slots.
    len: usize,
    /// The slot to which each task was last pushed. By now it may have another task or be vacant.
    of_task: Vec<usize>,
    /// The number of visited nodes and slots.
    #[cfg(test)]
    visits: u64,
}

/// A short queue is not compacted at each step.
const SLACK: usize = 16;

impl ReadyQueue {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The tasks, in the order of their wakes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.slots.iter().copied().flatten()
    }

    pub(crate) fn push(&mut self, task: usize) {
        if 2 * self.len + SLACK <= self.slots.len() {
            self.compact();
        }
        let slot = self.slots.len();
        self.slots.push(Some(task));
        self.len += 1;
        // The new node covers its slot and the smaller nodes that end right before it.
        let (node, mut covered, mut count) = (slot + 1, slot, 1);
        while node - size(node) < covered {
            self.visit();
            count += self.counts[covered - 1];
            covered -= size(covered);
        }
        self.counts.push(count);
        if self.of_task.len() <= task {
            self.of_task.resize(task + 1, 0);
        }
        self.of_task[task] = slot;
    }

    /// Removes the task at position `at`. Returns `None` if there are fewer tasks.
    pub(crate) fn take(&mut self, at: usize) -> Option<usize> {
        if self.len <= at {
            return None;
        }
        let (mut slot, mut left) = (0, at);
        let mut step = self.slots.len().checked_ilog2().map_or(0, |log| 1 << log);
        while 0 < step {
            self.visit();
            let node = slot + step;
            if let Some(&count) = self.counts.get(node - 1)
                && count <= left
            {
                left -= count;
                slot = node;
            }
            step /= 2;
        }
        self.vacate(slot)
    }

    /// Removes this task if it is queued: its last entry, if it has two.
    pub(crate) fn take_task(&mut self, task: usize) {
        if let Some(&slot) = self.of_task.get(task)
            && self.slots.get(slot) == Some(&Some(task))
        {
            self.vacate(slot);
        }
    }

    fn vacate(&mut self, slot: usize) -> Option<usize> {
        let task = self.slots[slot].take()?;
        self.len -= 1;
        if self.len == 0 {
            self.slots.clear();
            self.counts.clear();
            return Some(task);
        }
        let mut node = slot + 1;
        while node <= self.counts.len() {
            self.visit();
            self.counts[node - 1] -= 1;
            node += size(node);
        }
        Some(task)
    }

    /// Removes the vacant slots.
    fn compact(&mut self) {
        self.slots.retain(Option::is_some);
        for (slot, &task) in self.slots.iter().enumerate() {
            self.of_task[task.unwrap_or_default()] = slot;
        }
        // Every slot is occupied: a node counts what it covers.
        self.counts.clear();
        self.counts.extend((1..=self.slots.len()).map(size));
        #[cfg(test)]
        {
            self.visits += self.slots.len() as u64;
        }
    }

    fn visit(&mut self) {
        #[cfg(test)]
        {
            self.visits += 1;
        }
    }
}

impl Extend<usize> for ReadyQueue {
    fn extend<I: IntoIterator<Item = usize>>(&mut self, tasks: I) {
        tasks.into_iter().for_each(|task| self.push(task));
    }
}

/// How many slots a node covers.
fn size(node: usize) -> usize {
    1 << node.trailing_zeros()
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::schedule::Random;

    #[test]
    fn it_is_a_queue_whose_middle_can_be_taken() {
        let mut random = Random::seeded(11);
        let (mut queue, mut model) = (ReadyQueue::default(), VecDeque::new());
        let mut next = 0;
        for step in 0..20_000_u64 {
            // It grows to some hundreds, shrinks to nothing, and grows again.
            let grows = if step / 1000 % 2 == 0 { 6 } else { 3 };
            match random.below(10) {
                odds if odds < grows => {
                    queue.push(next);
                    model.push_back(next);
                    next += 1;
                }
                9 if !model.is_empty() => {
                    let task = model[random.below(model.len() as u64) as usize];
                    queue.take_task(task);
                    model.retain(|&other| other != task);
                }
                _ => {
                    let at = random.below(model.len() as u64 + 1) as usize;
                    assert_eq!(queue.take(at), model.remove(at));
                }
            }
            assert_eq!((queue.len(), queue.is_empty()), (model.len(), model.is_empty()));
            assert!(queue.iter().eq(model.iter().copied()));
        }
    }

    #[test]
    fn a_task_that_is_not_queued_is_not_removed() {
        let mut queue = ReadyQueue::default();
        queue.take_task(0);
        queue.extend([7, 8]);
        assert_eq!(queue.take(0), Some(7));
        queue.take_task(7);
        queue.take_task(9);
        assert!(queue.iter().eq([8]));
        // Its slot is that of another task now.
        assert_eq!((queue.take(0), queue.take(0)), (Some(8), None));
        queue.push(9);
        queue.take_task(7);
        assert!(queue.iter().eq([9]));
        // A task may be woken again while it is there.
        queue.extend([3, 9]);
        queue.take_task(9);
        assert!(queue.iter().eq([9, 3]));
    }

    /// How many nodes and slots are visited for each task: `tasks` are pushed, then each pick of `pick` is
    /// pushed again, `rounds` times over, and then they are taken.
    fn visits(tasks: usize, rounds: usize, mut pick: impl FnMut(usize) -> usize) -> u64 {
        let mut queue = ReadyQueue::default();
        queue.extend(0..tasks);
        for _ in 0..tasks * rounds {
            let task = queue.take(pick(tasks)).unwrap();
            queue.push(task);
        }
        while let Some(last) = queue.len().checked_sub(1) {
            queue.take(pick(last + 1)).unwrap();
        }
        queue.visits / (tasks * (rounds + 1)) as u64
    }

    #[test]
    fn a_pick_visits_a_few_more_nodes_for_ten_times_as_many_tasks() {
        let random = |tasks| {
            let mut random = Random::seeded(5);
            visits(tasks, 3, move |options| random.below(options as u64) as usize)
        };
        let counts = [10, 100, 1_000, 10_000, 100_000].map(|tasks| (tasks, random(tasks)));
        assert_eq!(counts, [(10, 7), (100, 13), (1_000, 17), (10_000, 23), (100_000, 28)]);
        // First in, first out, and last in, first out.
        assert_eq!(
            (visits(100_000, 3, |_| 0), visits(100_000, 3, |options| options - 1)),
            (28, 22)
        );
    }
}
