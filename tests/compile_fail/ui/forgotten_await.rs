//! A loop that is not awaited does nothing, so it is `must_use`.
#![deny(unused_must_use)]

fn main() {
    forloop::each([1, 2, 3]).unbounded().for_each(async |_| {});
    forloop::each([1, 2, 3]).unbounded().as_completed(async |n| n);
    forloop::each([1, 2, 3]).unbounded();
    let _ = forloop::run(async |runtime| {
        forloop::spawn(&runtime, async {});
    });
}
