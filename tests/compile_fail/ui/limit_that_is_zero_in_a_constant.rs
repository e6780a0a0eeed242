//! A constant limit of zero is refused at compile time.

use std::num::NonZeroUsize;

fn main() {
    const JOBS: NonZeroUsize = NonZeroUsize::new(0).unwrap();
    let _loop = forloop::each([1, 2, 3]).limit(JOBS);
}
