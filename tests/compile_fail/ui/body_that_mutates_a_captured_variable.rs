//! Bodies overlap, so none can hold a `&mut` across an await.

fn main() {
    let mut total = 0;
    let _loop = forloop::each([1, 2, 3]).unbounded().for_each(async |n| total += n);
}
