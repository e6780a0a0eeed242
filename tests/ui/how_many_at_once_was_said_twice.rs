//! How many bodies run at once is said once.

fn main() {
    let _loop = forloop::each([1, 2, 3]).sequential().unbounded();
}
