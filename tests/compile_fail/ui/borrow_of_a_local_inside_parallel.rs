//! A body on scoped threads borrows from outside the call of `parallel`, not from inside.

fn main() {
    let lengths = forloop::parallel(|cores| async move {
        let words = vec![String::from("to"), String::from("be")];
        let words = forloop::each(&words).unbounded().on_scoped(cores);
        words.gather(|word| async move { word.len() }).await
    });
    assert_eq!(lengths, [2, 2]);
}
