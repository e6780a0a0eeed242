//! `try_gather` is for bodies that return a `Result`.

fn main() {
    let _outputs = forloop::each([1, 2, 3]).unbounded().try_gather(|n| async move { n });
}
