//! `try_each_stream` needs items that are `Result`s.

fn main() {
    let _loop = forloop::try_each_stream(futures_lite::stream::iter([1, 2, 3])).unbounded();
}
