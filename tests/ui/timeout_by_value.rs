//! A loop keeps a clock of its own: it takes a reference, and clones it.

use std::time::Duration;

fn main() {
    let _loop = forloop::each([1, 2, 3]).timeout(forloop::smol::Smol, Duration::from_secs(1));
}
