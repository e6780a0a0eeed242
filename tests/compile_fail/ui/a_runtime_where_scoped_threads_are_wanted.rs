//! Tasks of a runtime cannot borrow; those on scoped threads can.

fn main() {
    let words = vec![String::from("to"), String::from("be")];
    let _lengths = forloop::each(&words)
        .unbounded()
        .on_scoped(forloop::smol::Smol)
        .gather(|word| async move { word.len() });
}
