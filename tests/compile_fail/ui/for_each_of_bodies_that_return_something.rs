//! `for_each` keeps no outputs, so its bodies return `()`.

fn main() {
    let _done = forloop::each([1, 2, 3]).unbounded().for_each(|n| async move { n });
}
