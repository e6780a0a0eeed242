//! A limit is a `usize` or a `NonZeroUsize`.

fn main() {
    let _loop = forloop::each([1, 2, 3]).limit(50_u32);
}
