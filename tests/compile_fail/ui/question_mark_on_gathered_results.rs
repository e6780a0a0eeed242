//! `gather` returns each `Result`, and `settle` each outcome: neither stops at a failure, and neither is one.

async fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

async fn all() -> Result<Vec<u32>, Box<dyn std::error::Error>> {
    let gathered = forloop::each(["1"]).unbounded().gather(parse).await?;
    println!("{gathered:?}");
    let settled = forloop::each(["1"]).unbounded().settle(parse).await?;
    println!("{settled:?}");
    Ok(vec![])
}

fn main() {}
