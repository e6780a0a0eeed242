//! A search for a schedule under which a program fails, and for the shortest way to say it.

use std::future::poll_fn;
use std::panic::Location;
use std::task::Poll;

use forloop_core::BlockOn;

use crate::Sim;
use crate::explore::Explored;
use crate::failure::{Cause, Failure};
use crate::quiet::{Said, quietly};
use crate::run_spec::{RunSpec, Scheduled};
use crate::schedule::Choices;

/// How many runs a search for shorter choices may take.
const SHRINKING: usize = 500;

/// A program, and when it has failed.
pub(crate) struct Search<'a, P, J> {
    pub(crate) most_steps: u64,
    pub(crate) cancels: bool,
    pub(crate) at: &'static Location<'static>,
    pub(crate) program: &'a P,
    pub(crate) judge: &'a mut J,
}

/// One run.
pub(crate) struct Run {
    cause: Option<Cause>,
    /// What was chosen, of how many.
    chosen: Vec<(u32, u32)>,
    pub(crate) fingerprint: u64,
    /// How often the program was polled.
    polls: u64,
}

impl Run {
    fn choices(&self) -> Choices {
        self.chosen.iter().map(|&(choice, _)| choice).collect::<Vec<_>>().into()
    }

    /// How often something was chosen.
    pub(crate) fn points(&self) -> u64 {
        self.chosen.len() as u64
    }

    /// Whether this is what another run of the same choices should be.
    fn is_like(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.cause == other.cause
    }
}

impl From<Said> for Cause {
    fn from(Said { message, at }: Said) -> Self {
        Self::Panicked { message, at }
    }
}

impl<F, P, J> Search<'_, P, J>
where
    F: Future,
    P: Fn(Sim) -> F,
    J: FnMut(F::Output) -> Option<Cause>,
{
    /// Looks at one schedule.
    pub(crate) fn look(
        &mut self,
        sim: Sim,
        found_by: &str,
        explored: &mut Explored,
    ) -> Result<(), Failure> {
        let run = self.run(&sim, None);
        explored.note(&run);
        if run.cause.is_some() {
            return Err(self.failure(run, None, found_by));
        }
        // Now and then: who is deterministic once mostly is so always.
        if explored.runs.is_power_of_two() {
            let again = self.run(&Sim::replay(run.choices()), None);
            if !again.is_like(&run) {
                return Err(self.not_deterministic(run, None, found_by));
            }
        }
        self.look_at_drops(&run, found_by, explored)
    }

    /// Looks at every schedule, depth first, but not at more than `most`.
    pub(crate) fn look_at_all(
        &mut self,
        most: u64,
        explored: &mut Explored,
    ) -> Result<(), Failure> {
        let mut prefix: Vec<(u32, u32)> = Vec::new();
        while explored.runs < most {
            let choices =
                Choices::from(prefix.iter().map(|&(choice, _)| choice).collect::<Vec<_>>());
            let found_by = format!("schedule {}", explored.runs + 1);
            let run = self.run(&Sim::replay(choices), None);
            explored.note(&run);
            if run.cause.is_some() {
                return Err(self.failure(run, None, &found_by));
            }
            if !run.chosen.starts_with(&prefix) {
                return Err(self.not_deterministic(run, None, &found_by));
            }
            self.look_at_drops(&run, &found_by, explored)?;
            prefix = run.chosen;
            // The last choice that was not the last of its options is the next one of them.
            while prefix.pop_if(|&mut (choice, options)| choice + 1 == options).is_some() {}
            let Some((choice, _)) = prefix.last_mut() else {
                explored.is_complete = true;
                return Ok(());
            };
            *choice += 1;
        }
        Ok(())
    }

    /// Runs the program as `run_spec` says.
    pub(crate) fn repeat(
        &mut self,
        run_spec: &RunSpec,
        explored: &mut Explored,
    ) -> Result<(), Failure> {
        let sim = run_spec.sim();
        let run = self.run(&sim, run_spec.drop_after);
        explored.note(&run);
        run_spec.warn_of_misfit(&sim.world().chosen());
        match run.cause {
            Some(_) => Err(self.failure(run, run_spec.drop_after, &run_spec.to_string())),
            None => Ok(()),
        }
    }

    /// Runs the program again with the same choices, and drops it after each of its polls in turn.
    fn look_at_drops(
        &mut self,
        whole: &Run,
        found_by: &str,
        explored: &mut Explored,
    ) -> Result<(), Failure> {
        let drops = if self.cancels { whole.polls } else { 0 };
        for polls in 0..drops {
            let run = self.run(&Sim::replay(whole.choices()), Some(polls));
            explored.dropped_runs += 1;
            if run.cause.is_some() {
                return Err(self.failure(run, Some(polls), found_by));
            }
        }
        Ok(())
    }

    /// Runs the program once, and drops it after so many polls, if after any.
    fn run(&mut self, sim: &Sim, drop_after: Option<u64>) -> Run {
        sim.world().set_most_steps(self.most_steps);
        let mut polls = 0;
        let ended = quietly(|| {
            let mut program = Some(Box::pin((self.program)(sim.clone())));
            let output = sim.block_on(poll_fn(|cx| {
                let is_due = |polls| drop_after == Some(polls);
                if let Some(future) = program.as_mut().filter(|_| !is_due(polls)) {
                    polls += 1;
                    match future.as_mut().poll(cx) {
                        Poll::Ready(output) => return Poll::Ready(Some(output)),
                        Poll::Pending if !is_due(polls) => return Poll::Pending,
                        Poll::Pending => {}
                    }
                }
                program = None;
                Poll::Ready(None)
            }));
            drop(program);
            sim.settle();
            output
        });
        let cause = match ended {
            Ok(Some(output)) => {
                quietly(|| (self.judge)(output)).unwrap_or_else(|said| Some(said.into()))
            }
            Ok(None) => Some(sim.pending()).filter(|left| !left.is_empty()).map(Cause::Orphans),
            // A program may have caught that, and panicked for another reason.
            Err(said) => Some(match sim.world().deadlock() {
                Some(deadlock) if deadlock.to_string() == said.message => deadlock.into(),
                _ => said.into(),
            }),
        };
        let world = sim.world();
        let (chosen, fingerprint) = (world.chosen(), world.fingerprint());
        // What is left was not asked to stop: if it panics as it is dropped, that is not the program's.
        let _dropped = quietly(|| sim.drop_tasks());
        Run { cause, chosen, fingerprint, polls }
    }

    /// The report on a run that has failed.
    fn failure(&mut self, run: Run, drop_after: Option<u64>, found_by: &str) -> Failure {
        let again = self.run(&Sim::replay(run.choices()), drop_after);
        if !again.is_like(&run) {
            return self.not_deterministic(run, drop_after, found_by);
        }
        let Some(cause) = run.cause else {
            unreachable!("a run that has not failed is no failure")
        };
        let list = run.chosen.iter().map(|&(choice, _)| choice).collect();
        let list = shorter(list, |list| {
            let run = self.run(&Sim::replay(list.to_vec().into()), drop_after);
            run.cause.is_some_and(|other| other.is_like(&cause))
        });
        let schedule = Scheduled::Choices(list.into());
        self.report(RunSpec { schedule, drop_after }, cause, found_by)
    }

    fn not_deterministic(&mut self, run: Run, drop_after: Option<u64>, found_by: &str) -> Failure {
        let run_spec =
            Box::new(RunSpec { schedule: Scheduled::Choices(run.choices()), drop_after });
        let cause = Cause::NotDeterministic { before: run.cause.map(Box::new) };
        Failure { at: self.at, cause, found_by: found_by.to_owned(), events: Vec::new(), run_spec }
    }

    /// Runs the program a last time, and keeps what happens.
    fn report(&mut self, run_spec: RunSpec, found: Cause, found_by: &str) -> Failure {
        let sim = run_spec.sim();
        sim.record();
        let run = self.run(&sim, run_spec.drop_after);
        let cause = run.cause.unwrap_or(found);
        Failure {
            at: self.at,
            cause,
            found_by: found_by.to_owned(),
            events: sim.events(),
            run_spec: run_spec.into(),
        }
    }
}

/// Looks for a shorter and smaller list for which `fails` still holds.
fn shorter(mut list: Vec<u32>, mut fails: impl FnMut(&[u32]) -> bool) -> Vec<u32> {
    let mut runs = 0;
    let mut still_fails = |list: &[u32]| {
        runs += 1;
        runs <= SHRINKING && fails(list)
    };
    // Without its end: what comes first goes on.
    let mut cut = list.len();
    while 0 < cut {
        match list.len().checked_sub(cut) {
            Some(kept) if still_fails(&list[..kept]) => list.truncate(kept),
            _ => cut /= 2,
        }
    }
    // With what comes first in the place of some of it, and then without that place.
    let mut size = list.len();
    while 0 < size {
        let mut from = 0;
        while from < list.len() {
            let to = list.len().min(from + size);
            let without: Vec<u32> = [&list[..from], &list[to..]].concat();
            let mut zeros = list.clone();
            zeros[from..to].fill(0);
            if still_fails(&without) {
                list = without;
            } else {
                if zeros != list && still_fails(&zeros) {
                    list = zeros;
                }
                from = to;
            }
        }
        size /= 2;
    }
    // With smaller numbers.
    for at in 0..list.len() {
        while 1 < list[at] {
            let with = |choice| {
                let mut smaller = list.clone();
                smaller[at] = choice;
                smaller
            };
            let candidates = [with(list[at] / 2), with(list[at] - 1)];
            match candidates.into_iter().find(|smaller| still_fails(smaller)) {
                Some(smaller) => list = smaller,
                None => break,
            }
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let list = (0..100).map(|n| n % 7).collect();
        let fails = |list: &[u32]| 2 <= list.iter().filter(|&&choice| 3 <= choice).count();
        assert_eq!(shorter(list, fails), [3, 3]);
        assert_eq!(shorter(vec![5; 50], |_| true), []);
    }
}
