//! The macro behind the list of all options, which is in `mod.rs`.

/// Lists the options, sorted by what they add to the results of a loop: the method that sets each, and its type.
///
/// An option that is not listed does not compile, because [`Rule`] is sealed. The table in the documentation of
/// [`Policy`](super::Policy) is made of this list, and that of [`Loop::on_workers`](crate::Loop::on_workers).
/// Tests compare the tables for users with it.
macro_rules! options {
    ($(
        $Adds:ident as $links:ident { $(
            $(#[$attribute:meta])*
            $method:ident: $Option:ident $(<$($Parameter:ident $(: $Bound:ident)?),*>)?,
        )* }
    )*) => {
        /// The names of the methods that set an option.
        ///
        /// For tests that compare the documentation's tables with it.
        #[doc(hidden)]
        pub const fn option_table() -> &'static [&'static str] {
            &[$($(
                $(#[$attribute])*
                stringify!($method),
            )*)*]
        }

        $(
            macro_rules! $links {
                () => {
                    concat!($("[`", stringify!($method), "`](crate::Loop::", stringify!($method), ") "),*)
                };
            }
            pub(crate) use $links;

            $(
                $(#[$attribute])*
                impl $(<$($Parameter $(: $Bound)?),*>)? Sealed for $Option $(<$($Parameter),*>)? {}

                $(#[$attribute])*
                impl $(<$($Parameter $(: $Bound)?),*>)? LoopOption for $Option $(<$($Parameter),*>)?
                where
                    Self: Rule,
                {
                    type Adds = $Adds;
                }
            )*
        )*
    };
}

pub(super) use options;
