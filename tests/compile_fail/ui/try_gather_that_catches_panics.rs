//! A strategy that stops at the first failure cannot report a caught panic.

fn main() {
    let _values = forloop::each([1, 2, 3])
        .unbounded()
        .catch_panics()
        .try_gather(async |n| Ok::<_, String>(n));
}
