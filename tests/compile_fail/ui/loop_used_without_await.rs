//! A loop returns a future of its results, not the results.

fn main() {
    let _ = forloop::run(async |_| {
        let outputs = forloop::each([1, 2, 3]).unbounded().gather(|n| async move { n });
        outputs.len()
    });
}
