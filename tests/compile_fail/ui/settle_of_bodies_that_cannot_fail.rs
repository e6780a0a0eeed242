//! `settle` is for bodies that return a `Result`.

fn main() {
    let _ = forloop::run(async |_| {
        let outputs = forloop::each([1, 2, 3]).unbounded().settle(async |n| n).await;
        println!("{}", outputs.len());
    });
}
