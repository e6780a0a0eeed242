//! `try_gather` is for bodies that return a `Result`.

fn main() {
    let _ = forloop::run(async |_| {
        let outputs = forloop::each([1, 2, 3]).unbounded().try_gather(async |n| n).await;
        println!("{}", outputs.unwrap().len());
    });
}
