//! `race_ok` is for bodies that return a `Result`.

fn main() {
    let _outputs = forloop::each([1, 2, 3]).unbounded().race_ok(|n| async move { n });
}
