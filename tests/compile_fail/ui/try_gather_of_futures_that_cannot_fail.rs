//! `try_gather` is for futures that return a `Result`.

fn main() {
    let _outputs = forloop::try_gather([std::future::ready(1)]);
}
