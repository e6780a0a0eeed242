//! Results come in time: a stream is no iterator.

fn main() {
    for output in forloop::each([1, 2, 3]).unbounded().stream(|n| async move { n }) {
        println!("{output}");
    }
}
