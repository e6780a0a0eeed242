//! `settle` is for bodies that return a `Result`.

fn main() {
    let _outputs = forloop::each([1, 2, 3]).unbounded().settle(|n| async move { n });
}
