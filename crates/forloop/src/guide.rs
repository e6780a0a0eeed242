//! The guide: what to read when, and the five choices of a loop.
//!
//! These pages are documentation only, and every Rust block in them is a test.
// The tests need most features. The pages are there with any features.
#![cfg_attr(
    any(
        not(doctest),
        all(
            feature = "smol",
            feature = "async-std",
            feature = "tokio",
            feature = "backon",
            feature = "sim",
            feature = "timeline",
            feature = "timer",
            feature = "parallel",
            feature = "remote-redis"
        )
    ),
    doc = include_str!("guide/start.md")
)]

/// Declares the pages, each an empty module.
macro_rules! pages {
    ($($(#[$first:meta])* $name:ident: $text:literal;)*) => {$(
        $(#[$first])*
        #[cfg_attr(
            any(
                not(doctest),
                all(
                    feature = "smol",
                    feature = "async-std",
                    feature = "tokio",
                    feature = "backon",
                    feature = "sim",
                    feature = "timeline",
                    feature = "timer",
                    feature = "parallel",
                    feature = "remote-redis"
                )
            ),
            doc = include_str!($text)
        )]
        pub mod $name {}
    )*};
}

pages! {
    /// Which strategy, place, limit and option to choose, and cures for compiler errors.
    ///
    /// # Which strategy
    ///
    #[doc = include_str!("guide/strategies.md")]
    ///
    chooser: "guide/chooser.md";
    /// Short recipes for common tasks.
    ///
    cookbook: "guide/cookbook.md";
    /// Recipes for services: web handlers, limits and rates of a whole server, periodic work, clients that need tokio.
    ///
    services: "guide/services.md";
    /// A thousand URLs, fifty at a time: the loop, the same job with other libraries, and what each does on failures.
    ///
    crawl: "guide/crawl.md";
    /// Bodies on worker processes: when, the two programs, deployment, faults, and tables from Celery, Dask, Ray and joblib.
    ///
    remote: "guide/remote.md";
    /// The twelve laws: what each means for you, where it ends, and the tests that prove it.
    ///
    guarantees: "guide/guarantees.md";
    /// Loops in your own main loop or executor: what they need, a host from scratch, and GLib, Bevy, tokio.
    ///
    embedding: "guide/embedding.md";
    /// Loops on boards, in browsers, and in executors that need their own wakers.
    ///
    embedding_small: "guide/embedding_small.md";
    /// Loops on runtimes with a thread per core, such as compio and monoio: one thread, and threads with a queue.
    ///
    embedding_queue: "guide/embedding_queue.md";
}

/// Tables from other libraries to this one.
pub mod coming_from {
    pages! {
        /// From Python: asyncio; anyio and trio; aiometer; tqdm.
        ///
        asyncio: "guide/asyncio.md";
        /// From tokio's `JoinSet` and tokio-util's `TaskTracker`.
        ///
        join_set: "guide/join_set.md";
        /// From the crate futures: `FuturesUnordered`, `buffer_unordered`, `for_each_concurrent`, `try_join_all`.
        ///
        futures: "guide/futures.md";
        /// From JavaScript: `Promise.all` and its siblings, and p-map.
        ///
        p_map: "guide/p_map.md";
        /// From rayon.
        ///
        rayon: "guide/rayon.md";
        /// Leaving async-std: the steps, and what changes silently.
        ///
        async_std: "guide/leaving_async_std.md";
    }
}
