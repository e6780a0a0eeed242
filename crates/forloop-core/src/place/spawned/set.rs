//! The running bodies of a loop that runs each as a task.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;
use core::task::{Context, Poll, Waker};

use super::completer::Completer;
use super::completions::{Completions, LAST, next};
use super::slots::{CompletedBody, Slots};
use super::sync::Ordering;
use crate::engine::{CANCELLED, CapacityHint, Completion, EXPIRED, Key, UNCOUNTED};
use crate::outcome::catch;
use crate::place::body_set::{BodySet, StopBodies};
use crate::wait_group::is_dropped_by;
use crate::{Outcome, Panic};

/// Bodies that run as tasks of a runtime, each with its index; their outputs are `T`s.
///
/// The set polls nothing. A task leaves its outcome in a cell of the set and pushes the number of its slot onto a list,
/// which the set takes as a whole: a round is the tasks that have completed since the last one, in the order in
/// which they have. So completions need no sequence numbers and no sort, and a body costs no allocation but that of
/// the runtime's task, as long as no more bodies run at once than before.
pub struct SpawnedSet<T> {
    /// Made for the first body.
    completions: Option<Arc<Completions>>,
    slots: Slots<T>,
    /// The first completion of this round that was not delivered: a link.
    round: u32,
}

impl<T> SpawnedSet<T> {
    pub(crate) const fn new() -> Self {
        Self { completions: None, slots: Slots::new(), round: LAST }
    }

    /// Starts a body, and returns its key.
    ///
    /// # Errors
    ///
    /// If `make` panics.
    #[inline]
    fn put(&mut self, index: usize, make: impl FnOnce(Completer<T>)) -> Result<Key, Panic> {
        let completions = self.completions.get_or_insert_with(|| Arc::new(Completions::new()));
        let (number, completer) = self.slots.start(completions, index);
        match catch(|| make(completer)) {
            Ok(()) => Ok(Key { slot: number as usize, index }),
            Err(panic) => {
                self.slots.abandon(number);
                Err(panic)
            }
        }
    }

    /// Takes the next completion of the round.
    #[inline]
    fn next_completion(&mut self) -> Option<Completion<T>> {
        while let Some(number) = next(self.round) {
            let CompletedBody { link, index, outcome } = self.slots.complete(number);
            self.round = link;
            if let Some(index) = index {
                return Some(Completion { index, seq: 0, outcome });
            }
            // Its start has panicked, so it is not the outcome of a body.
            drop(catch(|| drop(outcome)));
        }
        None
    }

    /// Asks every task to stop.
    fn request_stop(&self) {
        self.slots.taken().for_each(|number| self.slots.stop(number, CANCELLED));
    }

    /// The slots of a list, by the one that was pushed last.
    fn list(&self, last: Option<u32>) -> impl Iterator<Item = u32> {
        core::iter::successors(last, |&number| {
            next(self.slots.cell(number).link.load(Ordering::Relaxed))
        })
    }
}

impl<T> BodySet for SpawnedSet<T> {
    type Job = ();
    type Completer = Completer<T>;
    type Output = T;

    const IS_INLINE: bool = false;

    /// Completions are seen in the order in which they happen.
    fn next_sequence() -> usize {
        0
    }

    fn set_capacity_hint(&mut self, _capacity_hint: CapacityHint) {}

    #[inline]
    fn len(&self) -> usize {
        self.slots.len()
    }

    fn insert(&mut self, index: usize, make: &mut impl FnMut(Completer<T>)) {
        if let Err(panic) = self.put(index, make) {
            panic.resume();
        }
    }

    #[inline]
    fn start<I, B>(
        &mut self,
        _caller: &Waker,
        most: usize,
        mut next: impl FnMut() -> ControlFlow<B, (usize, I)>,
        mut make: impl FnMut(usize, I, Completer<T>),
        mut on_complete: impl FnMut(Completion<T>) -> ControlFlow<B>,
    ) -> ControlFlow<B, Key> {
        let mut remaining = most;
        loop {
            let (index, item) = next()?;
            match self.put(index, |completer| make(index, item, completer)) {
                Ok(key) => {
                    remaining -= 1;
                    if remaining == 0 {
                        return ControlFlow::Continue(key);
                    }
                }
                Err(panic) => {
                    let outcome = Outcome::Panicked(panic);
                    on_complete(Completion { index, seq: 0, outcome })?;
                }
            }
        }
    }

    fn runs(&self, Key { slot, index }: Key) -> bool {
        self.slots.runs(slot as u32, index)
    }

    fn indices(&self) -> Vec<usize> {
        self.slots.indices()
    }

    /// The task reports its completion later.
    fn expire(&mut self, _caller: &Waker, Key { slot, .. }: Key) -> Option<Completion<T>> {
        self.slots.stop(slot as u32, EXPIRED);
        None
    }

    fn poll_next_woken(&mut self) -> Option<Option<Completion<T>>> {
        self.next_completion().map(Some)
    }

    #[inline]
    fn poll_round<B>(
        &mut self,
        polls: &mut usize,
        most: usize,
        mut on_complete: impl FnMut(Completion<T>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        while *polls < most {
            let Some(completion) = self.next_completion() else { break };
            *polls += 1;
            on_complete(completion)?;
        }
        ControlFlow::Continue(())
    }

    #[inline]
    fn is_round_in_progress(&self) -> bool {
        self.round != LAST
    }

    /// The round is the list in reverse.
    #[inline]
    fn next_round(&mut self) -> bool {
        debug_assert!(self.round == LAST, "the last completion of the round was delivered");
        let mut list = self.completions.as_deref().and_then(Completions::take);
        while let Some(number) = list {
            let link = &self.slots.cell(number).link;
            list = next(link.load(Ordering::Relaxed));
            link.store(self.round, Ordering::Relaxed);
            self.round = number;
        }
        self.round != LAST
    }

    #[inline]
    fn sleep(&mut self, cx: &Context<'_>) -> bool {
        let is_over = self.round == LAST;
        is_over
            && self.completions.as_deref().is_none_or(|completions| completions.sleep(cx.waker()))
    }

    fn cancel(&mut self, _panicked: impl FnMut(Panic)) {
        if let Some(completions) = &self.completions {
            completions.cancel();
            self.request_stop();
        }
    }

    /// A task completes after those that its body has left behind.
    fn poll_wait_groups(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// A task reports its completion later.
impl<T> StopBodies for SpawnedSet<T> {
    fn stop_one(&mut self, index: usize) -> Option<Completion<T>> {
        if let Some(number) = self.slots.of_body(index) {
            self.slots.stop(number, CANCELLED);
        }
        None
    }

    fn stop_each(&mut self, _on_complete: impl FnMut(Completion<T>)) {
        self.request_stop();
    }
}

impl<T> Default for SpawnedSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for SpawnedSet<T> {
    fn drop(&mut self) {
        let Some(completions) = self.completions.take() else { return };
        completions.cancel();
        let round = next(self.round);
        let mut running = self.slots.tasks() - self.list(round).count();
        // A task does not wait for itself.
        for number in self.slots.taken() {
            if is_dropped_by(self.slots.cell(number).id()) {
                self.slots.stop(number, UNCOUNTED);
                running -= 1;
            }
        }
        let list = completions.close(running);
        for _ in self.list(list) {
            completions.stopped();
            running -= 1;
        }
        if running > 0 {
            completions.join_wait_group();
            self.request_stop();
        }
        // One by one: a destructor that panics does not prevent the others from running.
        let mut panic = None;
        for number in self.list(round).chain(self.list(list)) {
            let outcome = self.slots.cell(number).take();
            if let Err(caught) = catch(|| drop(outcome)) {
                panic.get_or_insert(caught);
            }
        }
        if let Some(panic) = panic {
            panic.resume_unless_panicking();
        }
    }
}

impl<T> fmt::Debug for SpawnedSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpawnedSet").field("running", &self.slots.len()).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(forloop_loom)))]
mod tests {
    use alloc::boxed::Box;
    use alloc::rc::Rc;
    use core::cell::RefCell;
    use core::future::{pending, ready};
    use core::pin::Pin;

    use super::*;

    type Tasks = RefCell<Vec<Pin<Box<dyn Future<Output = ()>>>>>;

    /// Polls each task once, and drops those that have completed.
    fn run(tasks: &Tasks) {
        let mut cx = Context::from_waker(Waker::noop());
        tasks.borrow_mut().retain_mut(|task| task.as_mut().poll(&mut cx).is_pending());
    }

    /// The completions so far, in order: the index of the body, and its outcome.
    fn completions<T>(set: &mut SpawnedSet<T>) -> Vec<(usize, Outcome<T>)> {
        let mut all = Vec::new();
        set.next_round();
        let _: ControlFlow<()> = set.poll_round(&mut 0, usize::MAX, |completion| {
            all.push((completion.index, completion.outcome));
            ControlFlow::Continue(())
        });
        all
    }

    fn insert<F: Future + 'static>(
        set: &mut SpawnedSet<F::Output>,
        tasks: &Tasks,
        index: usize,
        body: F,
    ) {
        let mut body = Some(body);
        set.insert(index, &mut |completer| {
            let body = body.take().expect("it is started once");
            tasks.borrow_mut().push(Box::pin(completer.run(body)));
        });
    }

    #[test]
    fn completions_come_in_the_order_in_which_tasks_have_completed() {
        let (mut set, tasks) = (SpawnedSet::new(), Tasks::default());
        for index in 0..100 {
            insert(&mut set, &tasks, index, ready(2 * index));
        }
        assert!(set.sleep(&Context::from_waker(Waker::noop())));
        tasks.borrow_mut().reverse();
        run(&tasks);
        let order = completions(&mut set).into_iter().map(|(index, outcome)| {
            assert!(matches!(outcome, Outcome::Ok(output) if output == 2 * index));
            index
        });
        assert!(order.eq((0..100).rev()));
        assert!(set.is_empty());
    }

    #[test]
    fn a_start_that_panics_is_an_outcome_and_its_task_is_none() {
        for keeps_task in [false, true] {
            let (mut set, tasks) = (SpawnedSet::new(), Tasks::default());
            let value = Rc::new(());
            let mut items = [(7, value.clone())].into_iter();
            let mut outcome = None;
            let started = set.start(
                Waker::noop(),
                1,
                || items.next().map_or(ControlFlow::Break(()), ControlFlow::Continue),
                |_, value, completer| {
                    let task = Box::pin(completer.run(ready(value)));
                    if keeps_task {
                        tasks.borrow_mut().push(task);
                    }
                    panic!("a runtime that refuses a task");
                },
                |completion| {
                    outcome = Some((completion.index, completion.outcome));
                    ControlFlow::Continue(())
                },
            );
            assert!(started.is_break());
            assert!(matches!(outcome, Some((7, Outcome::Panicked(_)))));
            assert!(set.is_empty() && set.indices().is_empty());
            run(&tasks);
            assert!(completions(&mut set).is_empty());
            assert_eq!((Rc::strong_count(&value), set.slots.tasks()), (1, 0));
        }
    }

    #[test]
    fn a_task_that_is_asked_to_stop_says_whether_it_was_polled() {
        let (mut set, tasks) = (SpawnedSet::<()>::new(), Tasks::default());
        for index in 0..3 {
            insert(&mut set, &tasks, index, pending());
        }
        // The first one is polled, and then the second one times out before it is polled.
        let mut cx = Context::from_waker(Waker::noop());
        assert!(tasks.borrow_mut()[0].as_mut().poll(&mut cx).is_pending());
        assert!(set.expire(Waker::noop(), Key { slot: 1, index: 1 }).is_none());
        assert!(tasks.borrow_mut()[1].as_mut().poll(&mut cx).is_ready());
        let timed_out = completions(&mut set);
        assert!(matches!(timed_out[..], [(1, Outcome::TimedOut)]), "{timed_out:?}");
        drop(tasks.borrow_mut().remove(1));
        set.cancel(|_| {});
        run(&tasks);
        let stopped = completions(&mut set);
        let expected = matches!(stopped[..], [(0, Outcome::Cancelled), (2, Outcome::NotRun)]);
        assert!(expected, "{stopped:?}");
    }

    #[test]
    fn the_outputs_of_a_dropped_set_are_dropped_before_and_after_its_end() {
        let value = Rc::new(());
        let (mut set, tasks) = (SpawnedSet::new(), Tasks::default());
        for index in 0..2 {
            insert(&mut set, &tasks, index, ready(value.clone()));
        }
        let first = tasks.borrow_mut().remove(0);
        drop(first);
        assert!(set.next_round());
        drop(set);
        assert_eq!(Rc::strong_count(&value), 2);
        run(&tasks);
        assert_eq!(Rc::strong_count(&value), 1);
    }
}
