//! A limit that may be 0 gives a `Result`: without a `?` behind it there is no loop yet.

fn main() -> Result<(), forloop::ZeroLimit> {
    let _outputs = forloop::each([1, 2, 3]).limit(50).gather(|n| async move { n });
    Ok(())
}
