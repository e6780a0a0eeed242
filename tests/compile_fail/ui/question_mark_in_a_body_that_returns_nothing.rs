//! A `?` needs a body that returns a `Result`; a constant limit needs no `?`.

fn main() {
    let _done = forloop::each([1, 2]).unbounded().for_each(async |_| {
        forloop::each([1, 2, 3]).limit(2)?.for_each(async |_| {}).await;
    });
}
