//! Each attempt needs its own clone of the item.

use std::time::Duration;

struct Job;

fn main() {
    let _outputs = forloop::each([Job])
        .unbounded()
        .retry([Duration::ZERO].into_iter())
        .settle(|_job| async { Ok::<(), String>(()) });
}
