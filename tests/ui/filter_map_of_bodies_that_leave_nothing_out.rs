//! `filter_map` asks each body whether to leave its item out.

fn main() {
    let _done = forloop::each([1, 2, 3]).unbounded().filter_map(|n| async move { n });
}
