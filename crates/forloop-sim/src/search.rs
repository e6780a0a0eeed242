//! The search for a schedule under which a program fails, and the shrinking of its list of choices.

use std::future::poll_fn;
use std::panic::Location;
use std::task::Poll;

use forloop_core::BlockOn;

use crate::explored::Explored;
use crate::failure::{Failure, FailureCause};
use crate::quiet::{Caught, quietly};
use crate::run_spec::{RunSpec, Scheduled};
use crate::runtime::Sim;
use crate::schedule::Choices;

/// The most runs spent on shrinking a list of choices.
const SHRINK_RUNS: usize = 500;

/// A program, and the function that decides whether a run of it failed.
pub(crate) struct Search<'a, P, J> {
    pub(crate) max_steps: u64,
    pub(crate) cancels: bool,
    pub(crate) at: &'static Location<'static>,
    pub(crate) program: &'a P,
    pub(crate) failure_of: &'a mut J,
}

/// The record of one run.
struct Run {
    cause: Option<FailureCause>,
    /// Each choice, with the number of its options.
    chosen: Vec<(u32, u32)>,
    fingerprint: u64,
    /// The number of polls of the program.
    polls: u64,
}

impl Run {
    fn choices(&self) -> Choices {
        self.chosen.iter().map(|&(choice, _)| choice).collect::<Vec<_>>().into()
    }

    /// Whether the two runs behaved the same, as runs of the same choices must.
    fn is_same_run(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.cause == other.cause
    }
}

impl From<Caught> for FailureCause {
    fn from(Caught { message, at }: Caught) -> Self {
        Self::Panicked { message, at }
    }
}

impl<F, P, J> Search<'_, P, J>
where
    F: Future,
    P: Fn(Sim) -> F,
    J: FnMut(F::Output) -> Option<FailureCause>,
{
    /// Runs the program under one schedule.
    pub(crate) fn run_schedule(
        &mut self,
        sim: Sim,
        found_by: &str,
        explored: &mut Explored,
    ) -> Result<(), Failure> {
        let run = self.run(&sim, None);
        explored.count(run.chosen.len() as u64, run.fingerprint);
        if run.cause.is_some() {
            return Err(self.failure(run, None, found_by));
        }
        // Repeating each run would double the time; a program that is not deterministic rarely passes
        // every sampled repetition.
        if explored.runs.is_power_of_two() {
            let repeated = self.run(&Sim::replay(run.choices()), None);
            if !repeated.is_same_run(&run) {
                return Err(self.not_deterministic(run, None, found_by));
            }
        }
        self.run_with_drops(&run, found_by, explored)
    }

    /// Runs every schedule, depth first, up to `max` schedules.
    pub(crate) fn run_every_schedule(
        &mut self,
        max: u64,
        explored: &mut Explored,
    ) -> Result<(), Failure> {
        let mut prefix: Vec<(u32, u32)> = Vec::new();
        while explored.runs < max {
            let choices =
                Choices::from(prefix.iter().map(|&(choice, _)| choice).collect::<Vec<_>>());
            let found_by = format!("schedule {}", explored.runs + 1);
            let run = self.run(&Sim::replay(choices), None);
            explored.count(run.chosen.len() as u64, run.fingerprint);
            if run.cause.is_some() {
                return Err(self.failure(run, None, &found_by));
            }
            if !run.chosen.starts_with(&prefix) {
                return Err(self.not_deterministic(run, None, &found_by));
            }
            self.run_with_drops(&run, &found_by, explored)?;
            prefix = run.chosen;
            // Backtrack to the last choice that has options left, and take the next option there.
            while prefix.pop_if(|&mut (choice, options)| choice + 1 == options).is_some() {}
            let Some((choice, _)) = prefix.last_mut() else {
                explored.is_complete = true;
                return Ok(());
            };
            *choice += 1;
        }
        Ok(())
    }

    /// Repeats the run that `run_spec` describes.
    pub(crate) fn repeat(
        &mut self,
        run_spec: &RunSpec,
        explored: &mut Explored,
    ) -> Result<(), Failure> {
        let sim = run_spec.sim();
        let run = self.run(&sim, run_spec.drop_after);
        explored.count(run.chosen.len() as u64, run.fingerprint);
        run_spec.warn_of_mismatch(&sim.world().chosen());
        match run.cause {
            Some(_) => Err(self.failure(run, run_spec.drop_after, &run_spec.to_string())),
            None => Ok(()),
        }
    }

    /// Repeats a run once for each of its polls, and drops the program after that poll.
    fn run_with_drops(
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

    /// Runs the program once, and drops it after `drop_after` polls if that is set.
    fn run(&mut self, sim: &Sim, drop_after: Option<u64>) -> Run {
        sim.world().set_max_steps(self.max_steps);
        let mut polls = 0;
        let result = quietly(|| {
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
        let cause = match result {
            Ok(Some(output)) => {
                quietly(|| (self.failure_of)(output)).unwrap_or_else(|caught| Some(caught.into()))
            }
            Ok(None) => {
                Some(sim.pending()).filter(|left| !left.is_empty()).map(FailureCause::TasksLeft)
            }
            // The program may have caught the panic of a deadlock, and panicked for another reason.
            Err(caught) => Some(match sim.world().no_progress() {
                Some(no_progress) if no_progress.to_string() == caught.message => {
                    no_progress.into()
                }
                _ => caught.into(),
            }),
        };
        let world = sim.world();
        let (chosen, fingerprint) = (world.chosen(), world.fingerprint());
        // The remaining tasks are dropped without being cancelled first, so a panic in one of their
        // destructors is not a failure of the program.
        let _dropped = quietly(|| sim.drop_tasks());
        Run { cause, chosen, fingerprint, polls }
    }

    /// Reports a failed run, with a shrunk list of choices.
    fn failure(&mut self, run: Run, drop_after: Option<u64>, found_by: &str) -> Failure {
        let repeated = self.run(&Sim::replay(run.choices()), drop_after);
        if !repeated.is_same_run(&run) {
            return self.not_deterministic(run, drop_after, found_by);
        }
        let Some(cause) = run.cause else { unreachable!("only failed runs are reported") };
        let list = run.chosen.iter().map(|&(choice, _)| choice).collect();
        let list = shrink(list, |list| {
            let run = self.run(&Sim::replay(list.to_vec().into()), drop_after);
            run.cause.is_some_and(|other| other.is_same_failure(&cause))
        });
        let schedule = Scheduled::Choices(list.into());
        self.report(RunSpec { schedule, drop_after }, cause, found_by)
    }

    fn not_deterministic(&mut self, run: Run, drop_after: Option<u64>, found_by: &str) -> Failure {
        let run_spec =
            Box::new(RunSpec { schedule: Scheduled::Choices(run.choices()), drop_after });
        let cause = FailureCause::NotDeterministic { before: run.cause.map(Box::new) };
        Failure { at: self.at, cause, found_by: found_by.to_owned(), events: Vec::new(), run_spec }
    }

    /// Runs the program once more, and records its events.
    fn report(&mut self, run_spec: RunSpec, found: FailureCause, found_by: &str) -> Failure {
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

/// Returns a shorter list, or one of smaller numbers, for which `fails` still holds.
///
/// Three passes, each greedy: drop a suffix, drop or zero chunks of halving size, lower single numbers.
fn shrink(mut list: Vec<u32>, mut fails: impl FnMut(&[u32]) -> bool) -> Vec<u32> {
    let mut runs = 0;
    let mut still_fails = |list: &[u32]| {
        runs += 1;
        runs <= SHRINK_RUNS && fails(list)
    };
    // Drop a suffix: a replay chooses 0 past the end of its list.
    let mut cut = list.len();
    while 0 < cut {
        match list.len().checked_sub(cut) {
            Some(kept) if still_fails(&list[..kept]) => list.truncate(kept),
            _ => cut /= 2,
        }
    }
    // Drop a chunk, or fill it with zeros.
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
    // Lower single numbers.
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
    fn choices_that_do_not_matter_are_dropped() {
        let list = (0..100).map(|n| n % 7).collect();
        let fails = |list: &[u32]| 2 <= list.iter().filter(|&&choice| 3 <= choice).count();
        assert_eq!(shrink(list, fails), [3, 3]);
        assert_eq!(shrink(vec![5; 50], |_| true), []);
    }
}
