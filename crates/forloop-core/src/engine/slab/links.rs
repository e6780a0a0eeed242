//! The lists of chunks and of blocks: each has a head in the slab, and a link in every chunk or block.

/// The head of a list of chunks, or the link of a chunk: an enum in one word. No slab has so many chunks
/// that a number is one of the other two states. It is the same with blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link(usize);

impl Link {
    /// The chunk is not on the list.
    pub(super) const UNLISTED: Self = Self(usize::MAX);
    /// No chunk follows.
    pub(super) const END: Self = Self(usize::MAX - 1);

    const fn to(number: usize) -> Self {
        Self(number)
    }

    /// The number of the chunk that follows.
    pub(super) fn get(self) -> Option<usize> {
        (self.0 < Self::END.0).then_some(self.0)
    }
}

/// The links of a chunk on the two lists.
pub(super) struct Links {
    pub(super) empty: Link,
    pub(super) partial: Link,
}

impl Links {
    pub(super) const UNLISTED: Self = Self { empty: Link::UNLISTED, partial: Link::UNLISTED };
}

/// Puts a chunk on a list, unless it is on it.
#[inline]
pub(super) fn push(head: &mut Link, link: &mut Link, number: usize) {
    if *link == Link::UNLISTED {
        *link = *head;
        *head = Link::to(number);
    }
}

/// Takes the first chunk off a list, given its link.
pub(super) fn pop(head: &mut Link, link: &mut Link) {
    *head = core::mem::replace(link, Link::UNLISTED);
}
