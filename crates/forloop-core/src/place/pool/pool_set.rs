//! The running bodies of a loop on a worker pool.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use core::ops::ControlFlow;
use core::task::{Context, Poll, Waker};

use super::completion_queue::SourceFailure;
use super::handle::{Dispatcher, Portion, PullConfig};
use crate::engine::{CapacityHint, Completion, Key};
use crate::place::body_set::BodySet;
use crate::task::next_sequence;
use crate::{Outcome, Panic};

/// Bodies `B` on a pool of workers; their outputs are `T`s. Both may borrow for `'env`.
///
/// The type of the dispatcher is erased, so that a loop is `Send` for any output of its bodies.
pub struct PoolSet<'env, B, T>(Box<dyn Dispatcher<B, T> + Send + Sync + 'env>);

impl<'env, B, T> PoolSet<'env, B, T> {
    pub(super) fn new(dispatcher: impl Dispatcher<B, T> + Send + Sync + 'env) -> Self {
        Self(Box::new(dispatcher))
    }

    /// Delivers the batched outputs of this round. Here the type of `on_complete` is known, so that it is inlined.
    fn deliver_batches<U>(
        &mut self,
        polls: &mut usize,
        most: usize,
        on_complete: &mut impl FnMut(Completion<T>) -> ControlFlow<U>,
    ) -> ControlFlow<U> {
        while *polls < most
            && let Some((mut batch, portion)) = self.0.take_batch()
        {
            let (before, mut run) = (*polls, None);
            let mut flow = ControlFlow::Continue(());
            let is_next = |run: Option<usize>, index| {
                portion == Portion::All || run.is_none_or(|next| next == index)
            };
            while *polls < most
                && flow.is_continue()
                && let Some((index, output)) =
                    batch.batched.pop_if(|&mut (index, _)| is_next(run, index))
            {
                run = Some(index + 1);
                *polls += 1;
                flow = on_complete(Completion { index, seq: 0, outcome: Outcome::Ok(output) });
            }
            self.0.return_batch(batch, *polls - before);
            flow?;
        }
        ControlFlow::Continue(())
    }
}

impl<B, T> BodySet for PoolSet<'_, B, T> {
    type Job = B;
    type Completer = ();
    type Output = T;

    const IS_INLINE: bool = false;
    const ON_POOL: bool = true;

    fn next_sequence() -> usize {
        // Workers complete bodies side by side, so there each completion takes a number.
        next_sequence()
    }

    fn begin(&mut self, config: impl FnOnce() -> PullConfig<T>) -> Option<(usize, Option<usize>)> {
        Some(self.0.pull()?.begin(config()))
    }

    fn set_held_permits(&mut self, held: usize) {
        if let Some(pull) = self.0.pull() {
            pull.set_held_permits(held);
        }
    }

    fn take_source_failure(&mut self) -> Option<SourceFailure> {
        self.0.pull()?.take_source_failure()
    }

    fn drain(&mut self) -> Option<Panic> {
        self.0.pull()?.drain()
    }

    fn pulled(&self) -> Option<(usize, bool)> {
        self.0.pulled()
    }

    /// Each worker has a set of its own.
    fn set_capacity_hint(&mut self, _capacity_hint: CapacityHint) {}

    fn len(&self) -> usize {
        self.0.len()
    }

    fn insert(&mut self, index: usize, make: &mut impl FnMut(()) -> B) {
        let mut index = Some(index);
        if let Err((_, panic)) = self.0.enqueue(&mut || index.take(), &mut || make(())) {
            panic.resume();
        }
    }

    fn dispatch(&mut self) {
        self.0.dispatch();
    }

    fn start<I, U>(
        &mut self,
        _caller: &Waker,
        most: usize,
        mut next: impl FnMut() -> ControlFlow<U, (usize, I)>,
        mut make: impl FnMut(usize, I, ()) -> B,
        mut on_complete: impl FnMut(Completion<T>) -> ControlFlow<U>,
    ) -> ControlFlow<U, Key> {
        let (left, mut stopped) = (Cell::new(most), None);
        let given = Cell::new(None);
        let mut next = || {
            left.set(left.get().checked_sub(1)?);
            match next() {
                ControlFlow::Continue((index, item)) => {
                    given.set(Some((index, item)));
                    Some(index)
                }
                ControlFlow::Break(value) => {
                    stopped = Some(value);
                    None
                }
            }
        };
        let mut make = || {
            let (index, item) = given.take().expect("`next` has given an item");
            make(index, item, ())
        };
        let last = loop {
            match self.0.enqueue(&mut next, &mut make) {
                Ok(last) => break last,
                Err((index, panic)) => {
                    let outcome = Outcome::Panicked(panic);
                    on_complete(Completion { index, seq: next_sequence(), outcome })?;
                    left.update(|left| left + 1);
                }
            }
        };
        match (stopped, last) {
            (None, Some(last)) => ControlFlow::Continue(last),
            (Some(value), _) => ControlFlow::Break(value),
            (None, None) => unreachable!("`most` is not zero, so `next` was called"),
        }
    }

    fn runs(&self, body: Key) -> bool {
        self.0.runs(body)
    }

    fn indices(&self) -> Vec<usize> {
        self.0.indices()
    }

    /// Workers report the completion later.
    fn expire(&mut self, _caller: &Waker, body: Key) -> Option<Completion<T>> {
        self.0.expire(body);
        None
    }

    fn poll_next_woken(&mut self) -> Option<Option<Completion<T>>> {
        let (mut polls, mut next) = (0, None);
        let _: ControlFlow<()> = self.poll_round(&mut polls, 1, |completion| {
            next = Some(Some(completion));
            ControlFlow::Continue(())
        });
        next
    }

    fn poll_round<U>(
        &mut self,
        polls: &mut usize,
        most: usize,
        mut on_complete: impl FnMut(Completion<T>) -> ControlFlow<U>,
    ) -> ControlFlow<U> {
        self.deliver_batches(polls, most, &mut on_complete)?;
        let mut result = ControlFlow::Continue(());
        self.0.deliver(polls, most, &mut |completion| {
            result = on_complete(completion);
            if result.is_break() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        result
    }

    fn is_round_in_progress(&self) -> bool {
        self.0.is_round_in_progress()
    }

    fn next_round(&mut self) -> bool {
        self.0.next_round()
    }

    fn sleep(&mut self, cx: &Context<'_>) -> bool {
        self.0.sleep(cx)
    }

    fn cancel(&mut self, panicked: impl FnMut(Panic)) {
        self.0.cancel().into_iter().for_each(panicked);
    }

    /// Also lets the workers complete.
    fn poll_wait_groups(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_shutdown(cx)
    }
}

impl<B, T> fmt::Debug for PoolSet<'_, B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolSet").field("running", &self.0.len()).finish_non_exhaustive()
    }
}
