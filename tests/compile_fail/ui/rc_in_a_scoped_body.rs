//! A body on scoped threads is `Send`.

use std::rc::Rc;

fn main() {
    let shared = Rc::new(1);
    let _sums = forloop::parallel(|cores| {
        forloop::each([1, 2, 3]).unbounded().on_scoped(cores).gather(|n| {
            let shared = shared.clone();
            async move {
                std::future::ready(()).await;
                n + *shared
            }
        })
    });
}
