//! A `LoopError` is an `Error` only if the body's error is one.

async fn fetch(url: &str) -> Result<usize, String> {
    Ok(url.len())
}

async fn all() -> Result<Vec<usize>, Box<dyn std::error::Error>> {
    Ok(forloop::each(["a"]).unbounded().try_gather(fetch).await?)
}

fn main() {}
