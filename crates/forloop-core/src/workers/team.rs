//! The bodies of a loop, wherever they run: in the engine of the loop itself, or with a crew.

use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;
use core::task::{Context, Poll, Waker, ready};

use super::crew::{Crew, Terms, Work};
use crate::Panic;
use crate::engine::{End, Room, Set};
use crate::place::Started;
use crate::policy::Ticket;
use crate::simulation::Origin;

/// Started bodies, each with its index: what a [`Set`] does, and what workers do in its stead.
pub(crate) struct Team<J> {
    here: Set<J>,
    crew: Option<Crew<J>>,
}

impl<J: Started> Team<J> {
    #[inline]
    pub(crate) fn new(crew: Option<Crew<J>>) -> Self {
        Self { here: Set::new(), crew }
    }

    /// [`Set::written_at`].
    #[inline]
    pub(crate) fn written_at(self, origin: Origin) -> Self {
        Self { here: self.here.written_at(origin), ..self }
    }

    /// Known when it is compiled for all but one kind of bodies: those pay nothing for it.
    #[inline]
    fn crew(&mut self) -> Option<&mut dyn Work<J>> {
        if J::BY_WORKERS { self.crew.as_mut().map(Crew::work) } else { None }
    }

    #[inline]
    fn staff(&self) -> Option<&dyn Work<J>> {
        if J::BY_WORKERS { self.crew.as_ref().map(Crew::staff) } else { None }
    }

    /// Has workers begin that draw their bodies; gives how many bodies there will be, if the source tells
    /// the truth. `None` if they do not.
    pub(crate) fn begin(
        &mut self,
        terms: impl FnOnce() -> Terms<J::Output>,
    ) -> Option<(usize, Option<usize>)> {
        Some(self.crew()?.drawing()?.begin(terms()))
    }

    /// Hears how many of the ends told still count against the limit.
    pub(crate) fn hold(&mut self, held: usize) {
        if let Some(drawing) = self.crew().and_then(Work::drawing) {
            drawing.hold(held);
        }
    }

    /// How many bodies workers have drawn so far, and whether none is left, if they draw them.
    #[inline]
    pub(crate) fn drawn(&self) -> Option<(usize, bool)> {
        self.staff().and_then(Work::drawn)
    }

    /// [`Set::expect`].
    pub(crate) fn expect(&mut self, room: Room) {
        self.here.expect(room);
    }

    /// [`Set::len`].
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.staff().map_or_else(|| self.here.len(), Work::len)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// [`Set::insert`]: with a crew, the body begins once it was [handed out](Self::hand_out).
    pub(crate) fn insert(&mut self, index: usize, job: J) {
        match self.crew() {
            Some(crew) => {
                let mut job = Some((index, job));
                crew.take(&mut || job.take());
            }
            None => self.here.insert(index, job),
        }
    }

    /// Has the bodies begin that were put in.
    pub(crate) fn hand_out(&mut self) {
        if let Some(crew) = self.crew() {
            crew.hand_out();
        }
    }

    /// [`Set::start`].
    #[inline]
    pub(crate) fn start<B>(
        &mut self,
        caller: &Waker,
        most: usize,
        mut next: impl FnMut() -> ControlFlow<B, (usize, J)>,
        ended: impl FnMut(End<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B, Ticket> {
        let Some(crew) = self.crew() else {
            return self.here.start(Some(caller), most, next, ended);
        };
        let (mut left, mut over) = (most, None);
        let last = crew.take(&mut || {
            left = left.checked_sub(1)?;
            match next() {
                ControlFlow::Continue(job) => Some(job),
                ControlFlow::Break(enough) => {
                    over = Some(enough);
                    None
                }
            }
        });
        match (over, last) {
            (None, Some(last)) => ControlFlow::Continue(last),
            (Some(enough), _) => ControlFlow::Break(enough),
            (None, None) => unreachable!("somebody wants a body, and `next` gives one or says no"),
        }
    }

    /// [`Set::runs`].
    pub(crate) fn runs(&self, body: Ticket) -> bool {
        self.staff().map_or_else(|| self.here.runs(body), |crew| crew.runs(body))
    }

    /// [`Set::indices`].
    pub(crate) fn indices(&self) -> Vec<usize> {
        self.staff().map_or_else(|| self.here.indices(), Work::indices)
    }

    /// [`Set::expire`]: workers tell the end later.
    pub(crate) fn expire(&mut self, caller: &Waker, body: Ticket) -> Option<End<J::Output>> {
        match self.crew() {
            Some(crew) => {
                crew.expire(body);
                None
            }
            None => self.here.expire(Some(caller), body),
        }
    }

    /// [`Set::poll_next_woken`].
    pub(crate) fn poll_next_woken(&mut self) -> Option<Option<End<J::Output>>> {
        let Some(crew) = self.crew() else { return self.here.poll_next_woken() };
        let mut next = None;
        crew.tell(&mut 0, 1, &mut |end| {
            next = Some(Some(end));
            ControlFlow::Continue(())
        });
        next
    }

    /// [`Set::poll_round`].
    #[inline]
    pub(crate) fn poll_round<B>(
        &mut self,
        polls: &mut usize,
        most: usize,
        mut ended: impl FnMut(End<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let Some(crew) = self.crew() else { return self.here.poll_round(polls, most, ended) };
        let mut result = ControlFlow::Continue(());
        crew.tell(polls, most, &mut |end| {
            result = ended(end);
            if result.is_break() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        result
    }

    /// [`Set::all_are_due`], for bodies that have no wakers of their own: no crew has such.
    pub(crate) fn all_are_due(&mut self) {
        self.here.all_are_due();
    }

    /// [`Set::poll_due`].
    pub(crate) fn poll_due<B>(
        &mut self,
        caller: &Waker,
        ended: impl FnMut(End<J::Output>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.here.poll_due(caller, ended)
    }

    /// [`Set::is_amid_round`].
    #[inline]
    pub(crate) fn is_amid_round(&self) -> bool {
        self.staff().map_or_else(|| self.here.is_amid_round(), Work::is_amid_round)
    }

    /// [`Set::has_yielded`]: workers see to that themselves.
    #[inline]
    pub(crate) fn has_yielded(&mut self) -> bool {
        match self.crew() {
            Some(_) => false,
            None => self.here.has_yielded(),
        }
    }

    /// [`Set::next_round`].
    #[inline]
    pub(crate) fn next_round(&mut self) -> bool {
        match self.crew() {
            Some(crew) => crew.next_round(),
            None => self.here.next_round(),
        }
    }

    /// [`Set::sleep`].
    #[inline]
    pub(crate) fn sleep(&mut self, cx: &Context<'_>) -> bool {
        match self.crew() {
            Some(crew) => crew.sleep(cx),
            None => self.here.sleep(cx),
        }
    }

    /// [`Set::cancel`].
    pub(crate) fn cancel(&mut self, mut panicked: impl FnMut(Panic)) {
        match self.crew() {
            Some(crew) => crew.cancel().into_iter().for_each(&mut panicked),
            None => self.here.cancel(panicked),
        }
    }

    /// [`Set::poll_orphans`], for when no body is left. Lets the crew go.
    pub(crate) fn poll_orphans(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(crew) = self.crew() {
            ready!(crew.poll_over(cx));
        }
        self.here.poll_orphans(cx)
    }
}

impl<J> fmt::Debug for Team<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.crew {
            Some(crew) => crew.fmt(f),
            None => self.here.fmt(f),
        }
    }
}
