//! Every loop needs a limit, or `unbounded`.

fn main() {
    let _outputs = forloop::each([1, 2, 3]).gather(|n| async move { n });
}
