//! `try_each` needs items that are `Result`s.

fn main() {
    let _loop = forloop::try_each([1, 2, 3]).unbounded();
}
