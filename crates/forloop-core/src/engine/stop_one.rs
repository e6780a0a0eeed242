//! Stopping bodies one by one, each with an outcome: one has timed out, or the owner of the set cancels it.

use core::task::Waker;

use super::FutureSet;
use super::bit_set::bits;
use super::job::{Completion, JobHandle, Key};
use super::left_behind::StoppedBy;
use super::slot::{Slot, number_of, offset_of, slot_at};
use crate::outcome::{Outcome, catch};
use crate::wait_group::with_wait_group;

impl<J: JobHandle> FutureSet<J> {
    /// Asks a body that has timed out to stop, and returns its completion if it has stopped.
    ///
    /// A body that was woken in time is polled once more, and may complete. With the waker of `parent` it
    /// is not known whether the body was woken, so such a body is always polled once more.
    pub(crate) fn expire(
        &mut self,
        parent: Option<&Waker>,
        Key { slot, index }: Key,
    ) -> Option<Completion<J::Output>> {
        let (number, offset) = (number_of(slot), offset_of(slot));
        let mut guard = self.ready.enter();
        let wakers = guard.chunk(number);
        let parent = parent.filter(|_| J::PARENT_WAKER);
        let may_be_woken = parent.is_some()
            || wakers.is_woken(offset)
            || self.bodies.slab.chunk(number).is_due(offset);
        if J::INLINE && may_be_woken {
            let completion = self.bodies.poll_slot(slot, &wakers, parent).flatten();
            if completion.is_some() {
                return completion;
            }
        }
        let chunk = self.bodies.slab.chunk_mut(number);
        chunk.set_timed_out(offset);
        if !chunk.get_mut(offset).is_some_and(JobHandle::expire) {
            return None;
        }
        drop(guard);
        self.drop_body(Key { slot, index }, StoppedBy::Timeout)
    }

    /// Asks the body with this index to stop, and returns its completion if it has stopped. `None` also if there is no
    /// such body.
    ///
    /// A body that runs elsewhere, or that has left tasks behind, completes later. The time to find the body is in
    /// proportion to the number of slots.
    pub(crate) fn stop_one(&mut self, index: usize) -> Option<Completion<J::Output>> {
        let slot = self.bodies.slot_of(index)?;
        self.stop_slot(slot)
    }

    /// Asks every body to stop, and passes on the completions of those that have stopped.
    pub(crate) fn stop_each(&mut self, mut on_complete: impl FnMut(Completion<J::Output>)) {
        // All are marked first, so that none makes progress because another has stopped.
        self.mark_cancelled();
        for number in 0..self.bodies.slab.chunk_count() {
            for offset in bits(self.bodies.slab.chunk(number).occupied()) {
                if let Some(completion) = self.stop_slot(slot_at(number, offset)) {
                    on_complete(completion);
                }
            }
        }
    }

    fn stop_slot(&mut self, slot: Slot) -> Option<Completion<J::Output>> {
        let index = self.bodies.index(slot);
        let chunk = self.bodies.slab.chunk_mut(number_of(slot));
        if !chunk.get_mut(offset_of(slot)).is_some_and(JobHandle::cancel) {
            return None;
        }
        self.drop_body(Key { slot, index }, StoppedBy::Cancellation)
    }

    /// Drops a body, and returns its completion, unless it has left tasks behind.
    fn drop_body(
        &mut self,
        Key { slot, index }: Key,
        by: StoppedBy,
    ) -> Option<Completion<J::Output>> {
        let (number, offset) = (number_of(slot), offset_of(slot));
        let chunk = self.bodies.slab.chunk_mut(number);
        let wakers = self.ready.chunk(number);
        let (dropped, wait_group) = with_wait_group(None, || catch(|| chunk.drop_body(offset)));
        let outcome = match (dropped, wait_group) {
            (Err(panic), wait_group) => {
                self.wait_groups.extend(wait_group);
                Outcome::Panicked(panic)
            }
            (Ok(()), None) => by.outcome(),
            (Ok(()), Some(wait_group)) => {
                self.bodies.hold_slot(slot, wait_group, by, &wakers);
                return None;
            }
        };
        self.bodies.free(slot, &wakers);
        Some(Completion { index, seq: J::next_sequence(), outcome })
    }
}
