//! `features_smol`: the library on smol, the only runtime that this program enables.

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
