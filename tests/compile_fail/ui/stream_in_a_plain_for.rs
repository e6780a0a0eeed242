//! A stream is not an iterator: its results arrive over time.

fn main() {
    for output in forloop::each([1, 2, 3]).unbounded().stream(|n| async move { n }) {
        println!("{output}");
    }
}
