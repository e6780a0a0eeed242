//! `Tokio` is no value: it names the runtime around the caller, or that of a handle.

fn main() {
    let _loop = forloop::each([1, 2, 3]).unbounded().on(forloop::tokio::Tokio);
}
