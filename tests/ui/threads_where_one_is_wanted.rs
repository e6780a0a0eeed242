//! `on_local` takes a runtime of one thread.

fn main() {
    let _loop = forloop::each([1, 2, 3]).on_local(forloop::smol::Smol);
}
