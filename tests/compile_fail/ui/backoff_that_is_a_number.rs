//! `retry` takes a back-off, not a number of attempts.

fn main() {
    let _outputs = forloop::each([1, 2, 3])
        .unbounded()
        .retry(3)
        .settle(|n| async move { Ok::<u32, String>(n) });
}
