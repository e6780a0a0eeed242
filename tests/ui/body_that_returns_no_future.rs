//! A body's closure returns a future: the message says how to make one.

fn main() {
    let _outputs = forloop::each([1, 2, 3]).unbounded().gather(|n| n + 1);
}
