//! What is said when nothing can run.

use std::sync::Arc;

use forloop_core::simulation::waiting_bodies;

use super::World;
use super::state::{Next, Running, TaskState};
use crate::deadlock::{Deadlock, NoProgress, Pending};
use crate::event::Label;

/// How many steps are taken behind a deadlock, to see who goes on.
const AFTERMATH: usize = 10_000;

impl World {
    /// Panics and says who waits. To know that, everything is polled although nobody has woken it; and who
    /// goes on then has missed a wake.
    pub(super) fn end_in_deadlock(
        self: &Arc<Self>,
        main: usize,
        poll_main: &mut dyn FnMut() -> bool,
    ) -> ! {
        let at = self.now();
        let mut deadlock = Deadlock { at, pending: self.pending(), went_on: Vec::new() };
        // Also if what is polled without a wake panics.
        let (chosen, fingerprint) = {
            let mut state = self.state();
            state.deadlock = Some(NoProgress::Deadlock(deadlock.clone()));
            state.told = state.log.take();
            (state.chosen.len(), state.fingerprint)
        };
        (deadlock.pending, deadlock.went_on) = self.ask(main, poll_main);
        for _ in 0..AFTERMATH {
            match self.next(None) {
                Next::Main | Next::Nothing | Next::Wake(_) => break,
                next => self.go_on(next),
            }
        }
        let (left, _) = self.ask(main, poll_main);
        let has_gone_on = |one: &&Pending| deadlock.went_on.contains(one) || !left.contains(one);
        deadlock.went_on = deadlock.pending.iter().filter(has_gone_on).cloned().collect();
        let deadlock = NoProgress::Deadlock(deadlock);
        let mut state = self.state();
        state.chosen.truncate(chosen);
        state.fingerprint = fingerprint;
        state.deadlock = Some(deadlock.clone());
        drop(state);
        panic!("{deadlock}");
    }

    /// Polls every task that has not ended once; gives them with the bodies inside them, and those that
    /// ended then.
    fn ask(
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
                    self.go_on(next);
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

    /// Takes a task, to poll it.
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
