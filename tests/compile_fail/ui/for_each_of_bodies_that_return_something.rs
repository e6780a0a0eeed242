//! `for_each` keeps no outputs, so its bodies return `()`.

fn main() {
    let _ = forloop::run(async |_| {
        forloop::each([1, 2, 3]).unbounded().for_each(async |n| n).await;
    });
}
