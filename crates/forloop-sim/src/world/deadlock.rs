//! The report of a deadlock.

use std::sync::Arc;

use forloop_core::simulation::waiting_bodies;

use super::World;
use super::state::{Next, TaskFuture, TaskState};
use crate::deadlock::{Deadlock, NoProgress, Pending};
use crate::event::Label;

/// The most steps taken after a deadlock, to find the tasks that missed a wake.
const EXTRA_STEPS: usize = 10_000;

impl World {
    /// Panics with a report of the tasks and bodies that wait.
    ///
    /// To learn which they are, every task is polled once without a wake. What makes progress then, or
    /// completes in the steps that follow, has missed a wake.
    pub(super) fn panic_with_deadlock(
        self: &Arc<Self>,
        main: usize,
        poll_main: &mut dyn FnMut() -> bool,
    ) -> ! {
        let at = self.now();
        let mut deadlock = Deadlock { at, pending: self.pending(), lost_wakes: Vec::new() };
        // Set already here, in case a task polled without a wake panics.
        let (chosen, fingerprint) = {
            let mut state = self.state();
            state.deadlock = Some(NoProgress::Deadlock(deadlock.clone()));
            state.log_before_deadlock = state.log.take();
            (state.chosen.len(), state.fingerprint)
        };
        (deadlock.pending, deadlock.lost_wakes) = self.poll_all(main, poll_main);
        for _ in 0..EXTRA_STEPS {
            match self.next(None) {
                Next::Main | Next::Nothing | Next::Wake(_) => break,
                next => self.perform(next),
            }
        }
        let (left, _) = self.poll_all(main, poll_main);
        let has_progressed =
            |one: &&Pending| deadlock.lost_wakes.contains(one) || !left.contains(one);
        deadlock.lost_wakes = deadlock.pending.iter().filter(has_progressed).cloned().collect();
        let deadlock = NoProgress::Deadlock(deadlock);
        let mut state = self.state();
        state.chosen.truncate(chosen);
        state.fingerprint = fingerprint;
        state.deadlock = Some(deadlock.clone());
        drop(state);
        panic!("{deadlock}");
    }

    /// Polls every task that has not completed once. Returns them with the bodies inside them, and those
    /// that completed.
    fn poll_all(
        self: &Arc<Self>,
        main: usize,
        poll_main: &mut dyn FnMut() -> bool,
    ) -> (Vec<Pending>, Vec<Pending>) {
        let (mut waiting, mut completed) = (Vec::new(), Vec::new());
        for pending in self.pending() {
            let Pending { task, is_main, .. } = pending;
            let mut has_completed = false;
            let bodies = waiting_bodies(|| match (is_main, self.take(task)) {
                (true, _) => has_completed = task == main && poll_main(),
                (false, Some(next)) => {
                    self.perform(next);
                    has_completed = matches!(self.state().tasks[task].state, TaskState::Completed);
                }
                (false, None) => {}
            });
            if has_completed {
                completed.push(pending.clone());
            }
            waiting.push(pending);
            waiting.extend(bodies.into_iter().map(|body| Pending {
                task,
                label: Label { index: Some(body.index), at: body.at, of_type: body.of_type },
                is_main: false,
            }));
        }
        (waiting, completed)
    }

    /// Takes a task's future in order to poll it.
    fn take(&self, task: usize) -> Option<Next> {
        let polled = &mut self.state().tasks[task].state;
        match std::mem::replace(polled, TaskState::Polling) {
            TaskState::Stored(job) => Some(Next::Task(task, TaskFuture::Stored(job))),
            TaskState::ThreadLocal => Some(Next::Task(task, TaskFuture::ThreadLocal)),
            other => {
                *polled = other;
                None
            }
        }
    }
}
