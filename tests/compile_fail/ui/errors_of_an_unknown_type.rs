//! A `?` converts the error, and nothing says to what.

fn main() {
    let _ = forloop::run(async |_| {
        let lengths = forloop::each(["a"]).limit(2)?.gather(async |name| name.len()).await;
        println!("{lengths:?}");
        Ok(())
    });
}
