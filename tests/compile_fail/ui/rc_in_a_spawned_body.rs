//! A spawned body is `Send`.

use std::rc::Rc;

fn main() {
    let shared = Rc::new(1);
    let _outputs = forloop::each([1, 2, 3]).unbounded().on(forloop::smol::Smol).gather(|n| {
        let shared = shared.clone();
        async move {
            std::future::ready(()).await;
            n + *shared
        }
    });
}
