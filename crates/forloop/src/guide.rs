//! The guide: what to read when, and the five choices of a loop.
//!
//! These pages cost a program nothing: they are documentation, and every Rust block in them is a test.
// Their tests need most features. The pages are there whatever is enabled.
#![cfg_attr(
    any(
        not(doctest),
        all(
            feature = "smol",
            feature = "async-std",
            feature = "tokio",
            feature = "sim",
            feature = "timeline",
            feature = "timer",
            feature = "parallel"
        )
    ),
    doc = include_str!("guide/start.md")
)]

/// Pages, each a module without anything in it.
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
                    feature = "sim",
                    feature = "timeline",
                    feature = "timer",
                    feature = "parallel"
                )
            ),
            doc = include_str!($text)
        )]
        pub mod $name {}
    )*};
}

pages! {
    /// Which strategy, place, limit and option: questions with answers, and cures for what the compiler says.
    ///
    chooser: "guide/chooser.md";
    /// Short recipes for what people search for.
    ///
    cookbook: "guide/cookbook.md";
    /// A thousand URLs, fifty at a time: the loop, the same in other words, and what each does when something goes wrong.
    ///
    crawl: "guide/crawl.md";
    /// The twelve laws, what each means for you, where it ends, and the tests that prove it.
    ///
    guarantees: "guide/guarantees.md";
    /// Loops in a program of your own: what they need of it, a host from scratch, and GLib, Bevy, tokio.
    ///
    embedding: "guide/embedding.md";
    /// Loops on boards, in browsers, and in executors that want their own wakers.
    ///
    embedding_small: "guide/embedding_small.md";
}

/// What you write today, and what it is here.
pub mod coming_from {
    pages! {
        /// From Python's asyncio.
        ///
        asyncio: "guide/asyncio.md";
        /// From tokio's `JoinSet`.
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
