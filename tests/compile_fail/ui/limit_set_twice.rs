//! A limit is set once.

fn main() {
    let _loop = forloop::each([1, 2, 3]).sequential().unbounded();
}
