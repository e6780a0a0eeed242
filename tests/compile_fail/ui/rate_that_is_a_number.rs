//! `rate` takes a `Rate`, not a number of starts per second.

fn main() {
    let _loop = forloop::each([1, 2, 3]).unbounded().rate(5);
}
