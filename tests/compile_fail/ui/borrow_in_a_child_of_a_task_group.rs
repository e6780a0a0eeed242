//! A child of a `task_group` owns its data; a child of a `scope` may borrow.

fn main() {
    let words = vec![String::from("to"), String::from("be")];
    let words = &words;
    let lengths = forloop::task_group(forloop::smol::Smol, |group| async move {
        let child = group.spawn(async move { Ok::<_, String>(words.len()) });
        Ok(child.await.unwrap())
    });
    forloop::run(async |_| lengths.await).unwrap().unwrap();
}
