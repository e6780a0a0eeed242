//! The strategy comes last.

use std::time::Duration;

fn main() {
    let strategy = forloop::each([1, 2, 3]).unbounded().gather(async |n| n);
    let _outputs = strategy.timeout(Duration::from_secs(1));
}
