//! A limit that cannot be wrong is checked where it is made: 0 is refused by the compiler.

use std::num::NonZeroUsize;

fn main() {
    const JOBS: NonZeroUsize = NonZeroUsize::new(0).unwrap();
    let _loop = forloop::each([1, 2, 3]).limit(JOBS);
}
