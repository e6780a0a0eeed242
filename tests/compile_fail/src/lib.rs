//! A package of its own for the compiler's messages, because trybuild checks every dependency of the package
//! that runs it once more.

#![forbid(unsafe_code)]
