//! A runtime of one thread without a clock, or one whose sleeps are not `Send`.

use std::time::Duration;

#[derive(Clone)]
struct PerCore;

fn main() {
    let _loop = forloop::each([1, 2, 3]).timer(&PerCore).deadline(Duration::from_secs(1));
}
