//! `each` takes what a `for` loop takes; a stream is for `each_stream`.

fn main() {
    let _loop = forloop::each(forloop::stream::iter([1, 2, 3]));
}
