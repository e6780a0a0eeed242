//! Options take a timer by reference, and clone it.

use std::time::Duration;

fn main() {
    let _loop = forloop::each([1, 2, 3]).timer(forloop::smol::Smol).timeout(Duration::from_secs(1));
}
