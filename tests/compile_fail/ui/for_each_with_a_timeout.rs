//! A strategy without results cannot report a body that timed out.

use std::time::Duration;

fn main() {
    let _done = forloop::each([1, 2, 3])
        .unbounded()
        .timeout(Duration::from_secs(1))
        .for_each(async |_| {});
}
