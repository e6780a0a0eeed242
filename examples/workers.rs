//! `on_workers`: many short bodies on all cores; the output does not depend on where they run.

use forloop::NoRuntime;

/// Counts the Collatz steps from `n` to 1: an even number is halved, an odd one tripled and incremented.
fn steps(mut n: u64) -> usize {
    let mut steps = 0;
    while n != 1 {
        n = if n.is_multiple_of(2) { n / 2 } else { 3 * n + 1 };
        steps += 1;
    }
    steps
}

fn main() -> Result<(), NoRuntime> {
    forloop::run(async |runtime| {
        println!("Main starting");
        let all = forloop::each(1..=20_000_u64)
            .unbounded()
            .on_workers(runtime)
            .gather(move |n| async move { (steps(n), n) })
            .await;
        let (steps, n) = all.into_iter().max().unwrap_or_default();
        println!("{n} takes the most steps: {steps}");
        println!("Main done");
    })
}
