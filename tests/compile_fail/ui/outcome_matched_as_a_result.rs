//! An outcome of `settle` is not a `Result`: a body may also have panicked or timed out.

fn main() {
    let pages = forloop::block_on(
        forloop::each(["a"]).unbounded().settle(|name| async move { name.parse::<u32>() }),
    );
    for page in pages {
        match page {
            Ok(page) => println!("{page}"),
            Err(error) => eprintln!("{error}"),
        }
    }
}
