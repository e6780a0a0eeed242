//! What blocks needs threads.

fn main() {
    let _files = forloop::each(["a", "b"])
        .unbounded()
        .on_blocking(forloop::timer::SystemTimer)
        .gather(forloop::plain(std::fs::read::<&str>));
}
