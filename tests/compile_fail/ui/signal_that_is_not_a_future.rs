//! A loop is cancelled by a future, or by a value that becomes one.

fn main() {
    let (_sender, receiver) = std::sync::mpsc::channel::<()>();
    let _loop = forloop::each([1, 2, 3]).cancel_on(receiver);
}
