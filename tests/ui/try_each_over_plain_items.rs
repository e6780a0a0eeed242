//! `try_each` needs a fallible source.

fn main() {
    let _loop = forloop::try_each([1, 2, 3]).unbounded();
}
