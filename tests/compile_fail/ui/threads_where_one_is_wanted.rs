//! `on_local` takes a single-threaded runtime.

fn main() {
    let _loop = forloop::each([1, 2, 3]).on_local(forloop::smol::Smol);
}
