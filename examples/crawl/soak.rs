//! `crawl --soak N`: crawls very many pages, many of them bad, and checks that nothing is left behind.

use std::error::Error;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use crawler::{
    Client, End, FetchError, Meter, Mix, Options, Plan, Site, Sockets, Tally, open_files,
    peak_memory, resident_memory,
};
use forloop::{AnyRuntime, Retry, ZeroLimit};

/// How much the peak memory may grow after the first tenth of the pages, in KiB, which allows for caches of
/// the allocator. With a hundred thousand pages, a leak of fifty bytes for each page exceeds it.
const GROWTH: u64 = 4 * 1024;

/// Crawls all pages of the plan, and fails with a list of everything that is wrong.
pub(crate) fn soak(plan: &Plan, options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    // The runtime is started before the first check, because what it keeps is not a leak.
    forloop::run(async |runtime| {
        let warm = Plan { count: 200, mix: Mix::none(), panic: false };
        pass(&runtime, &warm, options, &Site::start()?).await?;
        let files = open_files();

        let site = Site::start()?;
        let meter = Meter::start();
        let seen = pass(&runtime, plan, options, &site).await?;
        drop(site);
        let seconds = meter.elapsed().as_secs_f64();

        print!("{}", seen.tally);
        println!("attempts         {:>8}", seen.attempts);
        eprintln!("{seconds:.1} s, {:.0} attempts/s", seen.attempts as f64 / seconds);
        let mut faults = seen.faults(plan);
        faults.extend(files.and_then(left_open));
        for fault in &faults {
            eprintln!("crawl: {fault}");
        }
        Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })?
}

/// The observations of a crawl.
#[derive(Default)]
struct Seen {
    tally: Tally,
    attempts: usize,
    /// One bit for each page, set when the page has ended.
    ended: Vec<u64>,
    /// The first few pages that ended in a wrong way, or twice.
    odd: Vec<String>,
    /// The peak and present memory after a tenth of the pages, and at the end.
    memory: [Option<(u64, u64)>; 2],
}

async fn pass(
    runtime: &AnyRuntime,
    plan: &Plan,
    options: &Options,
    site: &Site,
) -> Result<Seen, ZeroLimit> {
    let client = Client::new(Sockets::of(runtime), site.hosts().clone());
    let client = &client;
    let mut seen = Seen { ended: vec![0; plan.count.div_ceil(64)], ..Seen::default() };
    // The URLs are generated on demand and the outcomes are counted at once, so the memory needed does not
    // depend on their number.
    forloop::each(plan.urls())
        .limit(options.limit)?
        .limit_by(|url| url.host().to_owned(), options.per_host)?
        .timeout(options.timeout)
        .retry(Retry::new(options.backoff()).when(FetchError::is_transient))
        .catch_panics()
        .as_completed(async |url| client.fetch(&url).await)
        .for_each(|(index, page)| {
            seen.see(plan, index, &page.into());
            async {}
        })
        .await;
    seen.memory[1] = memory();
    seen.attempts = client.attempts();
    Ok(seen)
}

impl Seen {
    fn see(
        &mut self,
        plan: &Plan,
        index: usize,
        outcome: &forloop::Outcome<crawler::Page, crawler::FetchError>,
    ) {
        self.tally.add(outcome);
        let (word, bit) = (&mut self.ended[index / 64], 1 << (index % 64));
        let again = *word & bit != 0;
        *word |= bit;
        let (end, must) = (End::of(outcome), plan.end(index));
        if (again || end != must) && self.odd.len() < 20 {
            let url = plan.url(index);
            let twice = if again { ", and for the second time" } else { "" };
            self.odd.push(format!("{index}: {url}: `{end}` instead of `{must}`{twice}"));
        }
        if self.tally.pages() == plan.count.div_ceil(10) {
            self.memory[0] = memory();
        }
    }

    /// Lists everything that is wrong.
    fn faults(self, plan: &Plan) -> Vec<String> {
        let mut faults = self.odd;
        let ended = self.ended.iter().map(|word| word.count_ones() as usize).sum::<usize>();
        if ended != plan.count {
            faults.push(format!("{} pages did not end", plan.count - ended));
        }
        let [Some((early, _)), Some((late, now))] = self.memory else {
            eprintln!("memory: not reported by this system");
            return faults;
        };
        eprintln!(
            "peak of memory: {early} KiB after a tenth, {late} KiB at the end; now {now} KiB"
        );
        if early + GROWTH < late {
            faults.push(format!("memory grew from {early} KiB to {late} KiB"));
        }
        faults
    }
}

fn memory() -> Option<(u64, u64)> {
    Some((peak_memory()?, resident_memory()?))
}

/// Returns an error if more files are open than before. A socket that a task has dropped is closed at a
/// later poll, so this waits for it.
fn left_open(before: usize) -> Option<String> {
    let mut after = before;
    for _ in 0..200 {
        after = open_files()?;
        if after <= before {
            eprintln!("open files: {before} before, {after} after");
            return None;
        }
        thread::sleep(Duration::from_millis(50));
    }
    Some(format!("{after} files and sockets are open, but {before} were open before"))
}
