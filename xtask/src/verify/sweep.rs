//! Runs a simulated program under many schedules, and checks that it always behaves the same.

use std::{
    collections::HashSet,
    num::NonZeroUsize,
    panic,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use super::{
    directive::Directives,
    explored::{Coverage, Explored, NotSearched},
    normalise::normalise,
    options::Options,
    run::{Run, RunStatus},
    schedule::{self, ChoiceLog, Schedule},
};

/// The result of a program under one schedule.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// The run.
    pub run: Run,
    /// The choices it made, if it wrote them.
    pub choices: Option<ChoiceLog>,
}

/// The configuration of a sweep.
#[derive(Debug, Clone, Copy)]
pub struct Sweep<'a> {
    /// The number of seeds.
    pub seeds: u32,
    /// The maximum number of schedules that the search runs.
    pub schedules: u32,
    /// The only schedule to run, if one is selected.
    pub only: Option<&'a Schedule>,
    /// The directives of the example.
    pub directives: &'a Directives,
}

impl<'a> Sweep<'a> {
    /// Returns the sweep that the command line selects.
    pub fn new(options: &'a Options, directives: &'a Directives) -> Self {
        let Options { seeds, schedules, ref schedule, .. } = *options;
        Self { seeds, schedules, only: schedule.as_ref(), directives }
    }
}

/// The result of a sweep.
#[derive(Debug, Clone)]
pub struct SweepReport {
    /// The run under the first schedule, then the first mismatch under a seed and the first one of the search,
    /// if any. All other runs match the first one.
    pub runs: Vec<Run>,
    /// The schedules of the runs.
    pub explored: Explored,
}

/// Runs a program under the first schedule, under seeds, and under all schedules up to a bound.
///
/// The seeds and the search each stop at the first mismatch: a run that failed, that printed something else
/// than the first run, or that did not follow its schedule. `threads` is the number of concurrent runs; the
/// result does not depend on it.
pub fn sweep(
    sweep: Sweep<'_>,
    threads: NonZeroUsize,
    simulate: impl Fn(&Schedule) -> Simulated + Sync,
) -> SweepReport {
    let schedule = sweep.only.cloned().unwrap_or(Schedule::FIRST);
    let Simulated { mut run, choices } = simulate(&schedule);
    run.schedule = Some(schedule);
    let mut explored = Explored {
        runs: 1,
        seeds: 0,
        distinct: 0,
        schedules: 1,
        coverage: Coverage::None,
        stopped: false,
        not_searched: sweep.directives.threads.then_some(NotSearched::OwnThreads),
    };
    let choices = match choices {
        _ if run.status != RunStatus::Succeeded => None,
        None if sweep.directives.no_runtime => {
            explored.not_searched = Some(NotSearched::NoRuntime);
            None
        }
        None => {
            run.status = RunStatus::NotSimulated;
            None
        }
        // Without a choice, every schedule is the same.
        Some(choices) if choices.is_empty() && !sweep.directives.threads => {
            explored.coverage = Coverage::Exhaustive;
            None
        }
        Some(choices) => Some(choices),
    };
    let Some(choices) = choices.filter(|_| sweep.only.is_none()) else {
        explored.stopped = run.status != RunStatus::Succeeded;
        return SweepReport { runs: vec![run], explored };
    };

    let baseline =
        Baseline { output: normalise(&run.stdout, &sweep.directives.any_order), choices, sweep };
    let (sampled, searched) = baseline.explore(threads, &simulate);
    explored.seeds = sampled.seeds;
    explored.distinct = sampled.seen.len() as u64;
    explored.schedules = searched.schedules;
    explored.coverage = searched.coverage;
    explored.runs = sampled.seeds + searched.schedules;
    let mismatch = sampled.mismatch.map(|(_, run)| run);
    let runs: Vec<Run> = [run].into_iter().chain(mismatch).chain(searched.mismatch).collect();
    explored.stopped = 1 < runs.len();
    SweepReport { runs, explored }
}

/// The run under the first schedule, which all others must match.
struct Baseline<'a> {
    output: Vec<u8>,
    choices: ChoiceLog,
    sweep: Sweep<'a>,
}

/// The result of the runs under seeds.
#[derive(Default)]
struct Sampled {
    seeds: u64,
    /// A fingerprint of each schedule.
    seen: HashSet<u64>,
    mismatch: Option<(u64, Run)>,
}

/// The result of the search.
struct Searched {
    schedules: u64,
    coverage: Coverage,
    mismatch: Option<Run>,
}

impl Baseline<'_> {
    fn explore(
        &self,
        threads: NonZeroUsize,
        simulate: &(impl Fn(&Schedule) -> Simulated + Sync),
    ) -> (Sampled, Searched) {
        let next = AtomicU64::new(0);
        thread::scope(|scope| {
            let others: Vec<_> =
                (1..threads.get()).map(|_| scope.spawn(|| self.sample(&next, simulate))).collect();
            // Each step of the search needs the previous one, so it has one thread. The other threads run
            // seeds, and so does this one after the search.
            let searched = self.search(simulate);
            let mut sampled = self.sample(&next, simulate);
            for other in others {
                let other = other.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
                sampled.seeds += other.seeds;
                sampled.seen.extend(other.seen);
                let mismatch = [sampled.mismatch, other.mismatch].into_iter().flatten();
                sampled.mismatch = mismatch.min_by_key(|&(seed, _)| seed);
            }
            (sampled, searched)
        })
    }

    fn sample(&self, next: &AtomicU64, simulate: &impl Fn(&Schedule) -> Simulated) -> Sampled {
        let mut sampled = Sampled::default();
        let seeds = u64::from(self.sweep.seeds);
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seeds <= seed {
                return sampled;
            }
            sampled.seeds += 1;
            match self.check(Schedule::Seed(seed), &[], simulate) {
                Ok(choices) => {
                    sampled.seen.insert(schedule::fingerprint(&choices));
                }
                Err(run) => {
                    // Threads with a smaller seed complete it, so the smallest mismatch is found.
                    next.fetch_max(seeds, Ordering::Relaxed);
                    sampled.mismatch = Some((seed, *run));
                    return sampled;
                }
            }
        }
    }

    /// Runs all schedules, depth first.
    fn search(&self, simulate: &impl Fn(&Schedule) -> Simulated) -> Searched {
        let mut searched = Searched { schedules: 1, coverage: Coverage::None, mismatch: None };
        if self.sweep.directives.threads || self.sweep.schedules == 0 {
            return searched;
        }
        let mut choices = self.choices.clone();
        loop {
            // The next schedule increments the last choice that has another option.
            while choices.pop_if(|&mut (choice, options)| choice + 1 == options).is_some() {}
            let Some((choice, _)) = choices.last_mut() else {
                searched.coverage = Coverage::Exhaustive;
                return searched;
            };
            *choice += 1;
            if u64::from(self.sweep.schedules) <= searched.schedules {
                searched.coverage = Coverage::Bounded;
                return searched;
            }
            searched.schedules += 1;
            let schedule = Schedule::Choices(choices.iter().map(|&(choice, _)| choice).collect());
            match self.check(schedule, &choices, simulate) {
                Ok(next) => choices = next,
                Err(run) => {
                    searched.mismatch = Some(*run);
                    return searched;
                }
            }
        }
    }

    /// Runs the program under `schedule`. Returns its choices if the run matches the baseline and its choices
    /// start with `prefix`; otherwise the run.
    fn check(
        &self,
        schedule: Schedule,
        prefix: &[(u32, u32)],
        simulate: &impl Fn(&Schedule) -> Simulated,
    ) -> Result<ChoiceLog, Box<Run>> {
        let Simulated { mut run, choices } = simulate(&schedule);
        run.schedule = Some(schedule);
        let choices = match choices {
            _ if run.status != RunStatus::Succeeded => return Err(run.into()),
            Some(choices) if choices.starts_with(prefix) => choices,
            Some(_) => {
                run.status = RunStatus::Nondeterministic;
                return Err(run.into());
            }
            None => {
                run.status = RunStatus::NotSimulated;
                return Err(run.into());
            }
        };
        match normalise(&run.stdout, &self.sweep.directives.any_order) == self.output {
            true => Ok(choices),
            false => Err(run.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, time::Duration};

    use super::*;

    fn run_with(status: RunStatus, stdout: &str) -> Run {
        let stdout = stdout.as_bytes().to_vec();
        Run { status, stdout, stderr: Vec::new(), elapsed: Duration::ZERO, schedule: None }
    }

    /// Three tasks that can run in any order, and print their names.
    fn three_tasks(schedule: &Schedule) -> Simulated {
        let mut tasks = vec!["a\n", "b\n", "c\n"];
        let (mut stdout, mut choices) = (String::new(), ChoiceLog::new());
        while let Some(options) = u32::try_from(tasks.len()).ok().filter(|&left| 0 < left) {
            let choice = match schedule {
                Schedule::Choices(list) => list.get(choices.len()).copied().unwrap_or(0),
                Schedule::Seed(seed) => (seed >> choices.len()) as u32 % options,
            };
            if options > 1 {
                choices.push((choice, options));
            }
            stdout += tasks.remove(choice as usize);
        }
        Simulated { run: run_with(RunStatus::Succeeded, &stdout), choices: Some(choices) }
    }

    fn silent(schedule: &Schedule) -> Simulated {
        let mut simulated = three_tasks(schedule);
        simulated.run.stdout.clear();
        simulated
    }

    fn sweep_twice(
        seeds: u32,
        schedules: u32,
        directives: &Directives,
        simulate: impl Fn(&Schedule) -> Simulated + Sync,
    ) -> SweepReport {
        let config = Sweep { seeds, schedules, only: None, directives };
        let by_one = sweep(config, NonZeroUsize::MIN, &simulate);
        let by_four = sweep(config, NonZeroUsize::new(4).unwrap(), &simulate);
        let found = |report: &SweepReport| {
            report
                .runs
                .iter()
                .map(|run| (run.schedule.clone(), run.status.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(found(&by_one), found(&by_four));
        by_one
    }

    fn schedules(report: &SweepReport) -> Vec<String> {
        let name = |run: &Run| run.schedule.as_ref().unwrap().to_string();
        report.runs.iter().map(name).collect()
    }

    fn no_directives() -> Directives {
        Directives::default()
    }

    #[test]
    fn every_schedule_is_run_once() {
        let seen = Mutex::new(Vec::new());
        let config = Sweep { seeds: 0, schedules: 100, only: None, directives: &no_directives() };
        let report = sweep(config, NonZeroUsize::MIN, |schedule| {
            seen.lock().unwrap().push(three_tasks(schedule).run.stdout);
            silent(schedule)
        });
        let mut seen = seen.into_inner().unwrap();
        assert_eq!(seen.len(), 6);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 6);
        assert_eq!(report.runs.len(), 1);
        assert_eq!(report.explored.to_string(), "exhaustive: 6 schedules");
        assert_eq!(report.explored.short(), "all 6 schedules");
    }

    #[test]
    fn the_search_stops_at_its_bound_and_reports_it() {
        let bounded = sweep_twice(0, 5, &no_directives(), silent).explored;
        assert_eq!((bounded.runs, bounded.schedules, bounded.coverage), (5, 5, Coverage::Bounded));
        assert_eq!(bounded.to_string(), "the first 5 schedules, and there are more");
        assert_eq!(
            sweep_twice(0, 6, &no_directives(), silent).explored.coverage,
            Coverage::Exhaustive
        );
    }

    #[test]
    fn seeds_and_their_distinct_schedules_are_counted() {
        let explored = sweep_twice(1000, 0, &no_directives(), silent).explored;
        assert_eq!((explored.runs, explored.seeds), (1001, 1000));
        assert_eq!(explored.to_string(), "sampled: 1,000 seeds, 6 distinct schedules");
        assert_eq!(explored.short(), "1,000 seeds");
    }

    #[test]
    fn an_output_that_depends_on_the_schedule_is_found_with_that_schedule() {
        let report = sweep_twice(100, 100, &no_directives(), three_tasks);
        assert_eq!(schedules(&report), ["choices=", "seed=1", "choices=0,1"]);
        assert_eq!(report.runs[1].stdout, b"b\na\nc\n");
        assert_eq!(report.runs[2].stdout, b"a\nc\nb\n");
        assert_eq!(report.explored.to_string(), "stopped at a failure, after 4 runs");
    }

    #[test]
    fn an_order_that_a_directive_allows_is_no_failure() {
        let any_order = ["a", "b", "c"].map(str::to_owned).to_vec();
        let strict = Directives { any_order, ..no_directives() };
        assert_eq!(
            sweep_twice(0, 100, &strict, three_tasks).runs.len(),
            2,
            "each prefix has its own lines"
        );
        let free = |schedule: &Schedule| {
            let mut simulated = three_tasks(schedule);
            let text = String::from_utf8(simulated.run.stdout).unwrap();
            simulated.run.stdout =
                text.lines().flat_map(|line| format!(">{line}\n").into_bytes()).collect();
            simulated
        };
        let free_order = Directives { any_order: vec![">".to_owned()], ..no_directives() };
        assert_eq!(sweep_twice(100, 100, &free_order, free).runs.len(), 1);
    }

    #[test]
    fn a_failed_run_is_found_with_its_schedule() {
        let crash = |schedule: &Schedule| match three_tasks(schedule).run.stdout.starts_with(b"c") {
            true => Simulated {
                run: run_with(RunStatus::Crashed(Default::default()), ""),
                choices: None,
            },
            false => silent(schedule),
        };
        // Seed 2 is the first whose first choice is 2.
        assert_eq!(
            schedules(&sweep_twice(100, 100, &no_directives(), crash)),
            ["choices=", "seed=2", "choices=2"]
        );
        let timed_out =
            |_: &Schedule| Simulated { run: run_with(RunStatus::TimedOut, ""), choices: None };
        let report = sweep_twice(100, 100, &no_directives(), timed_out);
        assert_eq!((schedules(&report), report.explored.runs), (vec!["choices=".to_owned()], 1));
    }

    #[test]
    fn a_program_that_does_not_follow_its_schedule_is_not_deterministic() {
        let diverge = |schedule: &Schedule| match schedule {
            Schedule::Choices(list) if list[..] == [1] => {
                Simulated { choices: Some(vec![(1, 2), (0, 2)]), ..silent(schedule) }
            }
            _ => silent(schedule),
        };
        let report = sweep_twice(10, 100, &no_directives(), diverge);
        assert_eq!(schedules(&report), ["choices=", "choices=1"]);
        assert_eq!(report.runs[1].status, RunStatus::Nondeterministic);
    }

    #[test]
    fn an_example_with_threads_is_sampled_and_not_searched() {
        let directives = Directives { threads: true, ..no_directives() };
        let report = sweep_twice(10, 100, &directives, silent);
        assert_eq!((report.explored.runs, report.explored.schedules), (11, 1));
        let words = "sampled: 10 seeds; its own threads are not simulated";
        assert_eq!(report.explored.to_string(), words);
        assert_eq!(report.explored.short(), "10 seeds");
    }

    #[test]
    fn a_program_without_choices_was_not_simulated_unless_it_has_no_runtime() {
        let not_simulated = |schedule: &Schedule| Simulated { choices: None, ..silent(schedule) };
        assert_eq!(
            sweep_twice(10, 10, &no_directives(), not_simulated).runs[0].status,
            RunStatus::NotSimulated
        );
        let directives = Directives { no_runtime: true, ..no_directives() };
        let report = sweep_twice(10, 10, &directives, not_simulated);
        assert_eq!(report.runs[0].status, RunStatus::Succeeded);
        assert_eq!(report.explored.to_string(), "one run; it starts no runtime");
        assert_eq!(report.explored.short(), "1 run");
    }

    #[test]
    fn a_program_without_a_choice_runs_once() {
        let alone =
            |schedule: &Schedule| Simulated { choices: Some(Vec::new()), ..silent(schedule) };
        let explored = sweep_twice(1000, 200, &no_directives(), alone).explored;
        assert_eq!(explored.runs, 1);
        assert_eq!(explored.to_string(), "exhaustive: 1 schedule");
        assert_eq!(explored.short(), "the only schedule");
    }

    #[test]
    fn a_selected_schedule_is_the_only_one() {
        let (directives, schedule) = (no_directives(), Schedule::Choices(vec![2, 1]));
        let config =
            Sweep { seeds: 9, schedules: 9, only: Some(&schedule), directives: &directives };
        let report = sweep(config, NonZeroUsize::MIN, three_tasks);
        assert_eq!(schedules(&report), ["choices=2,1"]);
        assert_eq!(report.runs[0].stdout, b"c\nb\na\n");
        assert_eq!(report.explored.to_string(), "one schedule");
    }
}
