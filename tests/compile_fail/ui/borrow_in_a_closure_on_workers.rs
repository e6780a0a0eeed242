//! Workers call the closure, so it cannot borrow.

fn main() {
    forloop::run(async |runtime| {
        let names = vec![String::from("a"), String::from("b")];
        let lengths = forloop::each(0..2).unbounded().on_workers(runtime).gather(|n| {
            let name = names[n].clone();
            async move { name.len() }
        });
        println!("{:?}", lengths.await);
    })
    .unwrap();
}
