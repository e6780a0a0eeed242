//! `try_each` is for items that may fail to come.

fn main() {
    let _loop = forloop::try_each([1, 2, 3]).unbounded();
}
