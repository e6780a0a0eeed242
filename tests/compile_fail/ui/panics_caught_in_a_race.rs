//! A race cannot report a caught panic.

fn main() {
    let _first = forloop::each([1, 2, 3]).unbounded().catch_panics().race(async |n| n);
}
