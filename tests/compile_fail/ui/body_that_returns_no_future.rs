//! A body's closure must return a future; the message shows how.

fn main() {
    let _outputs = forloop::each([1, 2, 3]).unbounded().gather(|n| n + 1);
}
