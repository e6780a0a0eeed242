//! The bodies of the loops in the table.

/// Bodies that are `Send`.
pub(crate) mod send {
    use futures_lite::future::yield_now;

    pub(crate) async fn value(n: u32) -> u32 {
        yield_now().await;
        n
    }

    pub(crate) async fn unit(_: u32) {
        yield_now().await;
    }

    pub(crate) async fn result(n: u32) -> Result<u32, String> {
        yield_now().await;
        Ok(n)
    }

    pub(crate) async fn checked(_: u32) -> Result<(), String> {
        yield_now().await;
        Ok(())
    }

    pub(crate) async fn option(n: u32) -> Option<u32> {
        yield_now().await;
        Some(n)
    }

    pub(crate) async fn try_option(n: u32) -> Result<Option<u32>, String> {
        yield_now().await;
        Ok(Some(n))
    }
}

/// Bodies that hold an `Rc` while they wait.
pub(crate) mod rc {
    use std::rc::Rc;

    use futures_lite::future::yield_now;

    pub(crate) async fn value(n: u32) -> u32 {
        let shared = Rc::new(n);
        yield_now().await;
        *shared
    }

    pub(crate) async fn unit(n: u32) {
        value(n).await;
    }

    pub(crate) async fn result(n: u32) -> Result<u32, String> {
        Ok(value(n).await)
    }

    pub(crate) async fn checked(n: u32) -> Result<(), String> {
        value(n).await;
        Ok(())
    }

    pub(crate) async fn option(n: u32) -> Option<u32> {
        Some(value(n).await)
    }

    pub(crate) async fn try_option(n: u32) -> Result<Option<u32>, String> {
        Ok(Some(value(n).await))
    }
}
