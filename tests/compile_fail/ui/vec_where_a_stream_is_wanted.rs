//! A vector is not a stream: the message names the constructor that takes one.

fn main() {
    let items = vec![1, 2, 3];
    let _loop = forloop::each_stream(items);
}
