//! `retry` needs bodies that return a `Result`.

use std::time::Duration;

fn main() {
    let timer = forloop::sim::Sim::new();
    let _outputs = forloop::each([1, 2, 3])
        .unbounded()
        .retry(&timer, [Duration::ZERO].into_iter())
        .gather(|n| async move { n });
}
