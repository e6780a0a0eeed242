//! `timeout` takes a timer first.

use std::time::Duration;

fn main() {
    let _loop = forloop::each([1, 2, 3]).timeout(&4, Duration::from_secs(1));
}
