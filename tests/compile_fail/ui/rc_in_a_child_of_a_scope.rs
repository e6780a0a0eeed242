//! A child of a `scope` is `Send`; a child of a `local_scope` need not be.

use std::rc::Rc;

fn main() {
    let shared = Rc::new(1);
    let _sum = forloop::scope(|scope| async move {
        let child = scope.spawn(async {
            std::future::ready(()).await;
            Ok::<_, String>(*shared)
        });
        Ok(child.await.unwrap())
    });
}
