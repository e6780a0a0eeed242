//! A loop is not an iterator: its strategy takes the body.

fn main() {
    let _outputs = forloop::each([1, 2, 3]).unbounded().map(async |n| n);
}
