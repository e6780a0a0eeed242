//! `timer` takes a runtime or a clock.

use std::time::Duration;

fn main() {
    let _loop = forloop::each([1, 2, 3]).timer(&4).timeout(Duration::from_secs(1));
}
