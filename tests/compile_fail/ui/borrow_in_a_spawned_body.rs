//! A spawned body owns its data.

fn main() {
    let words = vec![String::from("to"), String::from("be")];
    let lengths = forloop::each(&words)
        .unbounded()
        .on(forloop::smol::Smol)
        .gather(|word| async move { word.len() });
    forloop::run(async |_| lengths.await).unwrap();
}
