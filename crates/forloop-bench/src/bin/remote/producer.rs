//! `producer URL ITEMS LIMIT`: runs the items, and prints what that took.

use std::io::Write;
use std::time::Instant;

use forloop::BlockOn;
use forloop::remote::OnRemote;

use crate::common::{Failure, IDENTITY, connect};

pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), Failure> {
    let mut next = || arguments.next().ok_or("an argument is missing");
    let (url, items) = (next()?, next()?.parse::<u64>()?);
    let limit = next()?.parse::<usize>()?;
    forloop::smol::Smol.block_on(async {
        let run = connect(&url).await?.run(&format!("bench-{}", std::process::id())).await?;
        // The first job waits for a worker that has just started, and for scripts that are not loaded.
        let first = forloop::each([items]).limit(1)?.on_remote(&run);
        first.try_gather(|n| IDENTITY.call(n)).await?;
        run.forget().await?;

        let run = connect(&url).await?.run(&format!("bench-{}-2", std::process::id())).await?;
        let start = Instant::now();
        let sum = forloop::each(0..items).limit(limit)?.on_remote(&run);
        let sum = sum.try_fold(0, |n| IDENTITY.call(n), |sum, (_, n)| sum + n).await?;
        let seconds = start.elapsed().as_secs_f64();
        assert_eq!(sum, items * (items - 1) / 2);
        let (rate, each) = (items as f64 / seconds, seconds * 1e3 / items as f64);
        let memory = peak_memory()
            .map_or(String::new(), |kib| format!(", producer's peak {} MB", kib / 1_000));
        print!("  {items} items: {rate:.0} per second, {each:.3} ms each{memory}");
        std::io::stdout().flush()?;
        run.forget().await?;
        Ok(())
    })
}

/// The most memory that this process has had, in KiB, where the system says it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
