//! Workers call the closure, so it must be `Send`.

use std::rc::Rc;

fn main() {
    forloop::run(async |runtime| {
        let names = Rc::new(vec![String::from("a"), String::from("b")]);
        let lengths = forloop::each(0..2).unbounded().on_workers(runtime).gather(move |n| {
            let name = names[n].clone();
            async move { name.len() }
        });
        println!("{:?}", lengths.await);
    })
    .unwrap();
}
