//! `for_each` keeps nothing, and so takes nothing.

fn main() {
    let _done = forloop::each([1, 2, 3]).unbounded().for_each(|n| async move { n });
}
