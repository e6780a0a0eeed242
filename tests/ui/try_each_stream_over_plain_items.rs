//! `try_each_stream` is for items that may fail to come.

fn main() {
    let _loop = forloop::try_each_stream(forloop::stream::iter([1, 2, 3])).unbounded();
}
