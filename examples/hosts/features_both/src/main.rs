//! `features_both`: the library on smol and on tokio at the same time, in one program.

#![forbid(unsafe_code)]

use std::error::Error;
use std::num::NonZeroUsize;
use std::thread;

use forloop::smol::Smol;
use forloop::tokio::OwnedRuntime;
use forloop::{BlockOn, Runtime, ZeroLimit};

use features_library::Report;

fn main() -> Result<(), Box<dyn Error>> {
    let tokio = OwnedRuntime::multi_thread(NonZeroUsize::new(2))?;
    let words = ["for", "loop"].map(str::to_owned);
    let (on_smol, on_tokio) = thread::scope(|scope| {
        let smol = scope.spawn(|| report(&Smol, &words));
        let on_tokio = report(&tokio.runtime(), &words);
        (smol.join().expect("the thread does not panic"), on_tokio)
    });
    let (on_smol, on_tokio) = (on_smol?, on_tokio?);
    assert_eq!(on_smol, on_tokio);
    println!("on smol and on tokio: {on_smol:?}");
    println!("`forloop::runtime()` outside tokio: {}", forloop::runtime()?.name());
    println!("... and inside: {}", tokio.block_on(async { forloop::runtime() })?.name());
    Ok(())
}

fn report(runtime: &impl Runtime, words: &[String]) -> Result<Report, ZeroLimit> {
    forloop::block_on(features_library::report(runtime, words, 2))
}
