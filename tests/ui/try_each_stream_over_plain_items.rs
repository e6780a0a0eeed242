//! `try_each_stream` needs a fallible source.

fn main() {
    let _loop = forloop::try_each_stream(forloop::stream::iter([1, 2, 3])).unbounded();
}
