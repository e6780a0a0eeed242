//! `on` takes a runtime value.

fn main() {
    let _loop = forloop::each([1, 2, 3]).unbounded().on(4);
}
