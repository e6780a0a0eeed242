//! `filter_map` needs bodies that return an `Option`.

fn main() {
    let _done = forloop::each([1, 2, 3]).unbounded().filter_map(|n| async move { n });
}
