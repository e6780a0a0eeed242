//! A receiver that is not a stream has to become one.

struct Receiver;

fn main() {
    let _loop = forloop::each_stream(Receiver);
}
