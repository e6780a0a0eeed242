//! The items of `each(&list)` are references to its elements, and a function has to take these.

async fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    let list = vec![String::from("a")];
    let _outputs = forloop::each(&list).unbounded().gather(length);
}
