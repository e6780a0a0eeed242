//! `each` takes what a `for` loop takes; a stream is for `each_stream`.

fn main() {
    let _loop = forloop::each(futures_lite::stream::iter([1, 2, 3]));
}
