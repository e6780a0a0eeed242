//! No runtime's tasks may borrow.

fn main() {
    let words = vec![String::from("to"), String::from("be")];
    let _lengths = forloop::each(&words)
        .unbounded()
        .on_scoped(forloop::smol::Smol)
        .gather(|word| async move { word.len() });
}
