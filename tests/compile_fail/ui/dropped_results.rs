//! A value that holds failures is `must_use`.
#![deny(unused_must_use)]

fn main() {
    let _ = forloop::run(async |_| {
        let parse = async |text: &str| text.parse::<u32>();
        forloop::settle([parse("1"), parse("two")]).await;
        forloop::try_gather([parse("1"), parse("two")]).await;
        let value = async || Ok::<_, String>(1);
        forloop::scope(|_scope| value()).supervised().await.unwrap();
        forloop::each([1]).limit(2);
        forloop::CancelToken::new().cancelled();
        forloop::TaskSet::new([parse("1")]);
    });
}
