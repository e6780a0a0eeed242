//! The report of a deadlock.

use std::sync::Arc;

use forloop_core::simulation::waiting_bodies;

use super::World;
use super::state::{Next, Running, TaskState};
use crate::deadlock::{Deadlock, NoProgress, Pending};
use crate::event::Label;

/// The most steps taken after a deadlock, to find the tasks that missed a wake.
const EXTRA_STEPS: usize = 10_000;

impl World {
    /// Panics with a report of the tasks and bodies that wait.
    ///
    /// To learn which they are, every task is polled once without a wake. What makes progress then, or
    /// completes in the steps that follow, has missed a wake.
    pub(super) fn end_in_deadlock(
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
            state.told = state.log.take();
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
        let (mut waiting, mut ended) = (Vec::new(), Vec::new());
        for pending in self.pending() {
            let Pending { task, is_main, .. } = pending;
            let mut has_ended = false;
            let bodies = waiting_bodies(|| match (is_main, self.take(task)) {
                (true, _) => has_ended = task == main && poll_main(),
                (false, Some(next)) => {
                    self.perform(next);
                    has_ended = matches!(self.state().tasks[task].job, TaskState::Ended);
                }
                (false, None) => {}
            });
            if has_ended {
                ended.push(pending.clone());
            }
            waiting.push(pending);
            waiting.extend(bodies.into_iter().map(|body| Pending {
                task,
                label: Label { index: Some(body.index), at: body.at, of_type: body.of_type },
                is_main: false,
            }));
        }
        (waiting, ended)
    }

    /// Takes a task's future in order to poll it.
    fn take(&self, task: usize) -> Option<Next> {
        let polled = &mut self.state().tasks[task].job;
        match std::mem::replace(polled, TaskState::Polled) {
            TaskState::Here(job) => Some(Next::Task(task, Running::Here(job))),
            TaskState::There => Some(Next::Task(task, Running::There)),
            other => {
                *polled = other;
                None
            }
        }
    }
}
