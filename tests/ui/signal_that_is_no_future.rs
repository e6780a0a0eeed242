//! What cancels a loop is a future, or becomes one.

fn main() {
    let (_sender, receiver) = std::sync::mpsc::channel::<()>();
    let _loop = forloop::each([1, 2, 3]).cancel_on(receiver);
}
