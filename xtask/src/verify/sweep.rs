//! Looks at a program under many schedules: is it always the same?

use std::{
    collections::HashSet,
    num::NonZeroUsize,
    panic,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use super::{
    directive::Directives,
    explored::{Coverage, Explored, Without},
    normalise::normalise,
    options::Options,
    run::{End, Run},
    schedule::{self, Chosen, Schedule},
};

/// What a program did under one schedule.
#[derive(Debug, Clone)]
pub struct Simulated {
    /// How the run went.
    pub run: Run,
    /// What it chose, if it said so.
    pub chosen: Option<Chosen>,
}

/// What to look at, and what to take for the same.
#[derive(Debug, Clone, Copy)]
pub struct Sweep<'a> {
    /// Under how many seeds.
    pub seeds: u32,
    /// Under how many schedules of a search through all of them.
    pub schedules: u32,
    /// Under this schedule only.
    pub only: Option<&'a Schedule>,
    /// What the header of the example says.
    pub directives: &'a Directives,
}

impl<'a> Sweep<'a> {
    /// What the command line asks for.
    pub fn new(options: &'a Options, directives: &'a Directives) -> Self {
        let Options { seeds, schedules, ref schedule, .. } = *options;
        Self { seeds, schedules, only: schedule.as_ref(), directives }
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct SweepReport {
    /// The run under the first schedule; then the first under a seed and the first of the search that
    /// were not like it. All others were.
    pub runs: Vec<Run>,
    /// What was looked at.
    pub explored: Explored,
}

/// Runs a program under the first schedule, under seeds, and under all schedules up to a bound.
///
/// Under seeds and in the search it stops at the first run that is not like the one under the first
/// schedule: that did not end well, printed something else, or, in the search, did not choose as it was
/// told. As many runs as there are `threads` go on at once; what is found does not depend on it.
pub fn sweep(
    sweep: Sweep<'_>,
    threads: NonZeroUsize,
    simulate: impl Fn(&Schedule) -> Simulated + Sync,
) -> SweepReport {
    let schedule = sweep.only.cloned().unwrap_or(Schedule::FIRST);
    let Simulated { mut run, chosen } = simulate(&schedule);
    run.schedule = Some(schedule);
    let mut explored = Explored {
        runs: 1,
        seeds: 0,
        distinct: 0,
        schedules: 1,
        reach: Coverage::Nowhere,
        stopped: false,
        without: sweep.directives.threads.then_some(Without::Determinism),
    };
    let chosen = match chosen {
        _ if run.end != End::Finished => None,
        None if sweep.directives.no_runtime => {
            explored.without = Some(Without::Runtime);
            None
        }
        None => {
            run.end = End::Untold;
            None
        }
        // Where nothing is chosen, no seed chooses anything else.
        Some(chosen) if chosen.is_empty() && !sweep.directives.threads => {
            explored.reach = Coverage::All;
            None
        }
        Some(chosen) => Some(chosen),
    };
    let Some(chosen) = chosen.filter(|_| sweep.only.is_none()) else {
        explored.stopped = run.end != End::Finished;
        return SweepReport { runs: vec![run], explored };
    };

    let first =
        First { output: normalise(&run.stdout, &sweep.directives.any_order), chosen, sweep };
    let (sampled, searched) = first.look_further(threads, &simulate);
    explored.seeds = sampled.seeds;
    explored.distinct = sampled.seen.len() as u64;
    explored.schedules = searched.schedules;
    explored.reach = searched.reach;
    explored.runs = sampled.seeds + searched.schedules;
    let unlike = sampled.unlike.map(|(_, run)| run);
    let runs: Vec<Run> = [run].into_iter().chain(unlike).chain(searched.unlike).collect();
    explored.stopped = 1 < runs.len();
    SweepReport { runs, explored }
}

/// The run under the first schedule, which all others must be like.
struct First<'a> {
    output: Vec<u8>,
    chosen: Chosen,
    sweep: Sweep<'a>,
}

/// What came of seeds.
#[derive(Default)]
struct Sampled {
    seeds: u64,
    /// A number for each schedule.
    seen: HashSet<u64>,
    unlike: Option<(u64, Run)>,
}

/// What came of the search.
struct Searched {
    schedules: u64,
    reach: Coverage,
    unlike: Option<Run>,
}

impl First<'_> {
    fn look_further(
        &self,
        threads: NonZeroUsize,
        simulate: &(impl Fn(&Schedule) -> Simulated + Sync),
    ) -> (Sampled, Searched) {
        let next = AtomicU64::new(0);
        thread::scope(|scope| {
            let others: Vec<_> =
                (1..threads.get()).map(|_| scope.spawn(|| self.sample(&next, simulate))).collect();
            // Each step of the search needs the last one; seeds fill the other threads, and this one later.
            let searched = self.search(simulate);
            let mut sampled = self.sample(&next, simulate);
            for other in others {
                let other = other.join().unwrap_or_else(|panic| panic::resume_unwind(panic));
                sampled.seeds += other.seeds;
                sampled.seen.extend(other.seen);
                let unlike = [sampled.unlike, other.unlike].into_iter().flatten();
                sampled.unlike = unlike.min_by_key(|&(seed, _)| seed);
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
            match self.is_like(Schedule::Seed(seed), &[], simulate) {
                Ok(chosen) => {
                    sampled.seen.insert(schedule::fingerprint(&chosen));
                }
                Err(run) => {
                    // Whoever has a smaller seed goes on with it, so the smallest one is found.
                    next.fetch_max(seeds, Ordering::Relaxed);
                    sampled.unlike = Some((seed, *run));
                    return sampled;
                }
            }
        }
    }

    /// Goes through all schedules, depth first.
    fn search(&self, simulate: &impl Fn(&Schedule) -> Simulated) -> Searched {
        let mut searched = Searched { schedules: 1, reach: Coverage::Nowhere, unlike: None };
        if self.sweep.directives.threads || self.sweep.schedules == 0 {
            return searched;
        }
        let mut chosen = self.chosen.clone();
        loop {
            // The last choice that was not the last of its options is the next one of them.
            while chosen.pop_if(|&mut (choice, options)| choice + 1 == options).is_some() {}
            let Some((choice, _)) = chosen.last_mut() else {
                searched.reach = Coverage::All;
                return searched;
            };
            *choice += 1;
            if u64::from(self.sweep.schedules) <= searched.schedules {
                searched.reach = Coverage::Bound;
                return searched;
            }
            searched.schedules += 1;
            let schedule = Schedule::Choices(chosen.iter().map(|&(choice, _)| choice).collect());
            match self.is_like(schedule, &chosen, simulate) {
                Ok(next) => chosen = next,
                Err(run) => {
                    searched.unlike = Some(*run);
                    return searched;
                }
            }
        }
    }

    /// What was chosen, if the run is like the first one and begins with the choices it was told.
    fn is_like(
        &self,
        schedule: Schedule,
        told: &[(u32, u32)],
        simulate: &impl Fn(&Schedule) -> Simulated,
    ) -> Result<Chosen, Box<Run>> {
        let Simulated { mut run, chosen } = simulate(&schedule);
        run.schedule = Some(schedule);
        let chosen = match chosen {
            _ if run.end != End::Finished => return Err(run.into()),
            Some(chosen) if chosen.starts_with(told) => chosen,
            Some(_) => {
                run.end = End::Strayed;
                return Err(run.into());
            }
            None => {
                run.end = End::Untold;
                return Err(run.into());
            }
        };
        match normalise(&run.stdout, &self.sweep.directives.any_order) == self.output {
            true => Ok(chosen),
            false => Err(run.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, time::Duration};

    use super::*;

    fn ended(end: End, stdout: &str) -> Run {
        let stdout = stdout.as_bytes().to_vec();
        Run { end, stdout, stderr: Vec::new(), took: Duration::ZERO, schedule: None }
    }

    /// Three tasks that can run in any order, and print their names.
    fn three(schedule: &Schedule) -> Simulated {
        let mut tasks = vec!["a\n", "b\n", "c\n"];
        let (mut stdout, mut chosen) = (String::new(), Chosen::new());
        while let Some(options) = u32::try_from(tasks.len()).ok().filter(|&left| 0 < left) {
            let choice = match schedule {
                Schedule::Choices(list) => list.get(chosen.len()).copied().unwrap_or(0),
                Schedule::Seed(seed) => (seed >> chosen.len()) as u32 % options,
            };
            if options > 1 {
                chosen.push((choice, options));
            }
            stdout += tasks.remove(choice as usize);
        }
        Simulated { run: ended(End::Finished, &stdout), chosen: Some(chosen) }
    }

    fn silent(schedule: &Schedule) -> Simulated {
        let mut simulated = three(schedule);
        simulated.run.stdout.clear();
        simulated
    }

    fn swept(
        seeds: u32,
        schedules: u32,
        directives: &Directives,
        simulate: impl Fn(&Schedule) -> Simulated + Sync,
    ) -> SweepReport {
        let how = Sweep { seeds, schedules, only: None, directives };
        let by_one = sweep(how, NonZeroUsize::MIN, &simulate);
        let by_four = sweep(how, NonZeroUsize::new(4).unwrap(), &simulate);
        let found = |swept: &SweepReport| {
            swept.runs.iter().map(|run| (run.schedule.clone(), run.end.clone())).collect::<Vec<_>>()
        };
        assert_eq!(found(&by_one), found(&by_four));
        by_one
    }

    fn schedules(swept: &SweepReport) -> Vec<String> {
        let name = |run: &Run| run.schedule.as_ref().unwrap().to_string();
        swept.runs.iter().map(name).collect()
    }

    fn plain() -> Directives {
        Directives::default()
    }

    #[test]
    fn every_schedule_is_run_once() {
        let seen = Mutex::new(Vec::new());
        let how = Sweep { seeds: 0, schedules: 100, only: None, directives: &plain() };
        let swept = sweep(how, NonZeroUsize::MIN, |schedule| {
            seen.lock().unwrap().push(three(schedule).run.stdout);
            silent(schedule)
        });
        let mut seen = seen.into_inner().unwrap();
        assert_eq!(seen.len(), 6);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 6);
        assert_eq!(swept.runs.len(), 1);
        assert_eq!(swept.explored.to_string(), "exhaustive: 6 schedules");
        assert_eq!(swept.explored.in_short(), "all 6 schedules");
    }

    #[test]
    fn a_bound_is_kept_and_said() {
        let bounded = swept(0, 5, &plain(), silent).explored;
        assert_eq!((bounded.runs, bounded.schedules, bounded.reach), (5, 5, Coverage::Bound));
        assert_eq!(bounded.to_string(), "the first 5 schedules, and there are more");
        assert_eq!(swept(0, 6, &plain(), silent).explored.reach, Coverage::All);
    }

    #[test]
    fn seeds_are_counted_and_so_are_their_schedules() {
        let explored = swept(1000, 0, &plain(), silent).explored;
        assert_eq!((explored.runs, explored.seeds), (1001, 1000));
        assert_eq!(explored.to_string(), "sampled: 1,000 seeds, 6 distinct schedules");
        assert_eq!(explored.in_short(), "1,000 seeds");
    }

    #[test]
    fn an_output_that_depends_on_the_order_is_found_and_named_by_its_schedule() {
        let swept = swept(100, 100, &plain(), three);
        assert_eq!(schedules(&swept), ["choices=", "seed=1", "choices=0,1"]);
        assert_eq!(swept.runs[1].stdout, b"b\na\nc\n");
        assert_eq!(swept.runs[2].stdout, b"a\nc\nb\n");
        assert_eq!(swept.explored.to_string(), "stopped at a failure, after 4 runs");
    }

    #[test]
    fn an_order_that_the_example_leaves_open_is_no_failure() {
        let any_order = ["a", "b", "c"].map(str::to_owned).to_vec();
        let strict = Directives { any_order, ..plain() };
        assert_eq!(swept(0, 100, &strict, three).runs.len(), 2, "each prefix has its own lines");
        let free = |schedule: &Schedule| {
            let mut simulated = three(schedule);
            let text = String::from_utf8(simulated.run.stdout).unwrap();
            simulated.run.stdout =
                text.lines().flat_map(|line| format!(">{line}\n").into_bytes()).collect();
            simulated
        };
        let free_order = Directives { any_order: vec![">".to_owned()], ..plain() };
        assert_eq!(swept(100, 100, &free_order, free).runs.len(), 1);
    }

    #[test]
    fn a_run_that_does_not_end_well_is_found_and_named() {
        let crash = |schedule: &Schedule| match three(schedule).run.stdout.starts_with(b"c") {
            true => Simulated { run: ended(End::Crashed(Default::default()), ""), chosen: None },
            false => silent(schedule),
        };
        // Seeds up to 3 choose 0 or 1 of three, or 2: the first to choose 2 is seed 2.
        assert_eq!(
            schedules(&swept(100, 100, &plain(), crash)),
            ["choices=", "seed=2", "choices=2"]
        );
        let hung = |_: &Schedule| Simulated { run: ended(End::Hung, ""), chosen: None };
        let swept = swept(100, 100, &plain(), hung);
        assert_eq!((schedules(&swept), swept.explored.runs), (vec!["choices=".to_owned()], 1));
    }

    #[test]
    fn a_program_that_does_not_choose_as_it_is_told_is_not_deterministic() {
        let stray = |schedule: &Schedule| match schedule {
            Schedule::Choices(list) if list[..] == [1] => {
                Simulated { chosen: Some(vec![(1, 2), (0, 2)]), ..silent(schedule) }
            }
            _ => silent(schedule),
        };
        let swept = swept(10, 100, &plain(), stray);
        assert_eq!(schedules(&swept), ["choices=", "choices=1"]);
        assert_eq!(swept.runs[1].end, End::Strayed);
    }

    #[test]
    fn threads_of_its_own_are_sampled_and_not_searched() {
        let directives = Directives { threads: true, ..plain() };
        let swept = swept(10, 100, &directives, silent);
        assert_eq!((swept.explored.runs, swept.explored.schedules), (11, 1));
        let words = "sampled: 10 seeds; its own threads are not simulated";
        assert_eq!(swept.explored.to_string(), words);
        assert_eq!(swept.explored.in_short(), "10 seeds");
    }

    #[test]
    fn a_program_that_does_not_say_what_it_chose_was_not_simulated_unless_it_has_no_runtime() {
        let untold = |schedule: &Schedule| Simulated { chosen: None, ..silent(schedule) };
        assert_eq!(swept(10, 10, &plain(), untold).runs[0].end, End::Untold);
        let directives = Directives { no_runtime: true, ..plain() };
        let swept = swept(10, 10, &directives, untold);
        assert_eq!(swept.runs[0].end, End::Finished);
        assert_eq!(swept.explored.to_string(), "one run; it starts no runtime");
        assert_eq!(swept.explored.in_short(), "1 run");
    }

    #[test]
    fn where_nothing_is_chosen_one_run_is_all() {
        let alone =
            |schedule: &Schedule| Simulated { chosen: Some(Vec::new()), ..silent(schedule) };
        let explored = swept(1000, 200, &plain(), alone).explored;
        assert_eq!(explored.runs, 1);
        assert_eq!(explored.to_string(), "exhaustive: 1 schedule");
        assert_eq!(explored.in_short(), "the only schedule");
    }

    #[test]
    fn a_schedule_that_is_asked_for_is_the_only_one() {
        let (directives, schedule) = (plain(), Schedule::Choices(vec![2, 1]));
        let how = Sweep { seeds: 9, schedules: 9, only: Some(&schedule), directives: &directives };
        let swept = sweep(how, NonZeroUsize::MIN, three);
        assert_eq!(schedules(&swept), ["choices=2,1"]);
        assert_eq!(swept.runs[0].stdout, b"c\nb\na\n");
        assert_eq!(swept.explored.to_string(), "one schedule");
    }
}
