//! The bodies of a driver that workers share: it makes them, and the worker that has the driver takes them away.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::marker::PhantomData;
use core::ops::ControlFlow;
use core::task::{Context, Poll, Waker};

use super::body_set::BodySet;
use super::dispatch::Push;
use super::traits::Place;
use crate::body::{Attempt, Body};
use crate::engine::{CapacityHint, Completion, Key};
use crate::item_map::ItemMap;
use crate::outcome::catch;
use crate::{Outcome, Panic};

/// Makes the bodies of a shared driver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HandOff;

impl<B: Body> Place<B> for HandOff {
    type Set = HandOffSet<B>;
    type Dispatch = Push;

    fn set(&self) -> HandOffSet<B> {
        HandOffSet {
            bodies: VecDeque::new(),
            attempts: VecDeque::new(),
            running: ItemMap::new(),
            of: PhantomData,
        }
    }

    fn pull_set<const HAS_RULES: bool>(self, source: Infallible) -> HandOffSet<B> {
        match source {}
    }

    fn start(&self, attempt: Attempt, body: B, (): ()) -> (Attempt, B) {
        (attempt, body)
    }
}

/// The running bodies of a shared driver. They are on workers, which report each that has completed.
pub(crate) struct HandOffSet<B> {
    /// Bodies that were made and not taken away, each with its attempt.
    pub(crate) bodies: VecDeque<B>,
    pub(crate) attempts: VecDeque<Attempt>,
    running: ItemMap<()>,
    of: PhantomData<fn() -> B>,
}

impl<B> HandOffSet<B> {
    /// Notes that a body was reported.
    pub(crate) fn complete(&mut self, index: usize) {
        self.running.remove(index);
    }
}

impl<B: Body> BodySet for HandOffSet<B> {
    type Job = (Attempt, B);
    type Completer = ();
    type Output = B::Returns;

    const IS_INLINE: bool = false;
    const TIMES_BODIES: bool = false;

    fn next_sequence() -> usize {
        // The worker that passes a completion on numbers it.
        0
    }

    fn set_capacity_hint(&mut self, _capacity_hint: CapacityHint) {}

    fn len(&self) -> usize {
        self.running.len()
    }

    fn insert(&mut self, index: usize, make: &mut impl FnMut(()) -> (Attempt, B)) {
        let (attempt, body) = make(());
        self.bodies.push_back(body);
        self.attempts.push_back(attempt);
        self.running.insert(index, ());
    }

    fn start<I, U>(
        &mut self,
        _caller: &Waker,
        _most: usize,
        mut next: impl FnMut() -> ControlFlow<U, (usize, I)>,
        mut make: impl FnMut(usize, I, ()) -> (Attempt, B),
        mut on_complete: impl FnMut(Completion<B::Returns>) -> ControlFlow<U>,
    ) -> ControlFlow<U, Key> {
        loop {
            let (index, item) = next()?;
            let mut item = Some(item);
            let made = catch(|| {
                self.insert(index, &mut |()| make(index, item.take().expect("made once"), ()));
            });
            match made {
                Ok(()) => return ControlFlow::Continue(Key { slot: 0, index }),
                Err(panic) => {
                    let outcome = Outcome::Panicked(panic);
                    on_complete(Completion { index, seq: 0, outcome })?;
                }
            }
        }
    }

    fn runs(&self, body: Key) -> bool {
        self.running.get(body.index).is_some()
    }

    fn indices(&self) -> Vec<usize> {
        self.running.iter().map(|(index, ())| index).collect()
    }

    /// Workers limit the time of bodies.
    fn expire(&mut self, _caller: &Waker, _body: Key) -> Option<Completion<B::Returns>> {
        None
    }

    fn poll_next_woken(&mut self) -> Option<Option<Completion<B::Returns>>> {
        None
    }

    fn poll_round<U>(
        &mut self,
        _polls: &mut usize,
        _most: usize,
        _on_complete: impl FnMut(Completion<B::Returns>) -> ControlFlow<U>,
    ) -> ControlFlow<U> {
        ControlFlow::Continue(())
    }

    fn is_round_in_progress(&self) -> bool {
        false
    }

    fn next_round(&mut self) -> bool {
        false
    }

    fn sleep(&mut self, _cx: &Context<'_>) -> bool {
        true
    }

    /// The loop cancels the bodies on the workers.
    fn cancel(&mut self, _panicked: impl FnMut(Panic)) {}

    fn poll_wait_groups(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}
