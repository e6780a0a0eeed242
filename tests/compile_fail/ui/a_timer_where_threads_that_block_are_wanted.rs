//! Blocking bodies need a pool of blocking threads.

fn main() {
    let _files = forloop::each(["a", "b"])
        .unbounded()
        .on_blocking(forloop::timer::SystemTimer)
        .gather(forloop::sync_body(std::fs::read::<&str>));
}
