//! `forloop::runtime()` may fail, so it needs a `?`.

fn main() {
    let _loop = forloop::each([1, 2, 3]).unbounded().on(forloop::runtime());
}
