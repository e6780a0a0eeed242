//! The bodies that a process can run, by name and version.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::body::Body;
use crate::call_error::CallError;
use crate::end::{End, decode};
use crate::job::BodyId;

/// A body that runs here.
pub(crate) type RunningBody = Pin<Box<dyn Future<Output = End> + Send>>;

/// The largest payload, unless [`Bodies::payload_limit`] says otherwise: 1 MiB.
const PAYLOAD_LIMIT: usize = 1 << 20;

/// The functions that a process runs for named [bodies](Body).
///
/// A producer with `local:` and every worker have one. A producer with a broker needs the limit of payloads only.
///
/// # Examples
///
/// ```
/// use forloop_remote::{Bodies, Body};
///
/// const SQUARE: Body<u64, u64> = Body::named("square", 1);
///
/// let bodies = Bodies::new().with(SQUARE, |n| async move { Ok(n * n) });
/// assert_eq!(bodies.ids().len(), 1);
/// ```
#[derive(Clone)]
pub struct Bodies {
    functions: BTreeMap<BodyId, Arc<dyn Function>>,
    payload_limit: usize,
}

impl Bodies {
    /// No bodies, with payloads of up to 1 MiB.
    pub fn new() -> Self {
        Self { functions: BTreeMap::new(), payload_limit: PAYLOAD_LIMIT }
    }

    /// Adds the function of a named body.
    ///
    /// # Panics
    ///
    /// If this name and version has a function already.
    #[must_use]
    pub fn with<I, T, E, F, R>(mut self, body: Body<I, T, E>, function: F) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        T: Serialize + 'static,
        E: Serialize + 'static,
        F: Fn(I) -> R + Send + Sync + 'static,
        R: Future<Output = Result<T, E>> + Send + 'static,
    {
        let added = Typed { function, types: PhantomData };
        let before = self.functions.insert(body.id(), Arc::new(added));
        assert!(before.is_none(), "the body {} has two functions", body.id());
        self
    }

    /// Sets the largest item and outcome, in bytes of JSON. The default is 1 MiB.
    ///
    /// A larger one is [`CallError::TooLarge`], an error of its item alone. Large data goes to a store of yours, and its address is the
    /// item.
    #[must_use]
    pub fn payload_limit(self, bytes: usize) -> Self {
        Self { payload_limit: bytes, ..self }
    }

    /// The names and versions, in order.
    pub fn ids(&self) -> Vec<BodyId> {
        self.functions.keys().cloned().collect()
    }

    pub(crate) fn limit(&self) -> usize {
        self.payload_limit
    }

    /// Starts a body with an item as JSON, or returns `None` if this process does not have it.
    pub(crate) fn start(&self, body: &BodyId, payload: &[u8]) -> Option<RunningBody> {
        let function = self.functions.get(body)?.clone();
        if payload.len() > self.payload_limit {
            let error = CallError::TooLarge { bytes: payload.len(), limit: self.payload_limit };
            return Some(Box::pin(async { End::Call(error) }));
        }
        let (payload, limit) = (payload.to_vec(), self.payload_limit);
        // In the future: a panic of the function or of a decoder is one of the body.
        Some(Box::pin(async move { function.run(payload, limit).await }))
    }
}

impl Default for Bodies {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Bodies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bodies = f.debug_struct("Bodies");
        bodies.field("ids", &self.ids()).field("payload_limit", &self.payload_limit).finish()
    }
}

/// A function without its types.
trait Function: Send + Sync {
    /// Decodes the item, calls the function, and encodes what it returns.
    fn run(&self, payload: Vec<u8>, limit: usize) -> RunningBody;
}

struct Typed<F, I> {
    function: F,
    types: PhantomData<fn(I)>,
}

impl<I, T, E, F, R> Function for Typed<F, I>
where
    I: DeserializeOwned + Send + 'static,
    T: Serialize + 'static,
    E: Serialize + 'static,
    F: Fn(I) -> R + Send + Sync + 'static,
    R: Future<Output = Result<T, E>> + Send + 'static,
{
    fn run(&self, payload: Vec<u8>, limit: usize) -> RunningBody {
        match decode(&payload) {
            Ok(item) => {
                let body = (self.function)(item);
                Box::pin(async move { End::of(&body.await, limit) })
            }
            Err(error) => Box::pin(async { End::Call(error) }),
        }
    }
}
