//! A loop of the runtime-neutral core has no clock before `timer`.

use std::time::Duration;

fn main() {
    let _loop = forloop_core::each([1, 2, 3]).unbounded().deadline(Duration::from_secs(1));
}
