//! `features_smol`: the library on smol, because this program has enabled that and nothing else.

#![forbid(unsafe_code)]

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    forloop::run(|runtime| async move {
        let words = ["for", "loop"].map(str::to_owned);
        println!(
            "on {}: {:?}",
            runtime.name(),
            features_library::report(&runtime, &words, 2).await?
        );
        Ok(())
    })?
}
