//! What makes a signal may fail, and then it needs a `?`.

fn ctrl_c() -> std::io::Result<forloop::CancelToken> {
    Ok(forloop::CancelToken::new())
}

fn main() {
    let _loop = forloop::each([1, 2, 3]).cancel_on(ctrl_c());
}
