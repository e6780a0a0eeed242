//! A limit that may be zero returns a `Result`: it needs a `?`.

fn main() -> Result<(), forloop::ZeroLimit> {
    let _outputs = forloop::each([1, 2, 3]).limit(50).gather(|n| async move { n });
    Ok(())
}
