//! A child signals once that it is ready.

fn main() {
    let _served = forloop::scope(|scope| async move {
        let starts = scope.start(|ready| async move {
            ready.send(1);
            ready.send(2);
            Ok(())
        });
        Ok::<_, String>(starts.await.is_ok())
    });
}
