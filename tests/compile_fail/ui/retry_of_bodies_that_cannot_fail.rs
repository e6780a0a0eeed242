//! `retry` needs bodies that return a `Result`.

use std::time::Duration;

fn main() {
    let _outputs = forloop::each([1, 2, 3])
        .unbounded()
        .retry([Duration::ZERO].into_iter())
        .gather(|n| async move { n });
}
