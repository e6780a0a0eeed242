//! `retry` takes a back-off, not a number of attempts.

fn main() {
    let _ = forloop::run(async |_| {
        let texts = forloop::each(["1", "2"]).unbounded().retry(3);
        texts.settle(async |text| text.parse::<u32>()).await;
    });
}
