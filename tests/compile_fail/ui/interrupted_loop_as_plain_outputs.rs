//! A loop with a deadline may be interrupted, and its bodies with a time-out have outcomes.

use std::time::Duration;

async fn late() -> Vec<u32> {
    forloop::each([1, 2, 3]).unbounded().deadline(Duration::from_secs(1)).gather(async |n| n).await
}

async fn timed_out() -> Vec<u32> {
    forloop::each([1, 2, 3]).unbounded().timeout(Duration::from_secs(1)).gather(async |n| n).await
}

fn main() {}
