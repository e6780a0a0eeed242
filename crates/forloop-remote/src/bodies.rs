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
use crate::job::{BodyId, Job, JobKey};

/// A body that runs in this process: see [`Bodies::around`].
pub type RunningBody = Pin<Box<dyn Future<Output = End> + Send>>;

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
    around: Option<Around>,
}

/// What is around each body.
type Around = Arc<dyn Fn(CallContext<'_>, RunningBody) -> RunningBody + Send + Sync>;

/// A call that this process runs.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct CallContext<'a> {
    /// The name and version of the body.
    pub body: &'a BodyId,
    /// Index and attempt.
    pub key: JobKey,
    /// What the producer has set with [`Run::context`](crate::Run::context); empty if nothing.
    pub context: &'a str,
    /// The name of the worker; `None` if it is `local:`.
    pub worker: Option<&'a str>,
}

impl Bodies {
    /// No bodies, with payloads of up to 1 MiB.
    pub fn new() -> Self {
        Self { functions: BTreeMap::new(), payload_limit: PAYLOAD_LIMIT, around: None }
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

    /// Calls `wrap` for each call, with its body; what it returns runs instead. It adds spans to bodies, with the context of the
    /// producer as their parent, or counts them. A panic of `wrap` is one of the body.
    ///
    /// # Examples
    ///
    /// A line before each body: which worker runs what, and the trace that the producer is in.
    ///
    /// ```
    /// use forloop_core::BlockOn;
    /// use forloop_remote::{Bodies, Body, OnRemote, Remote};
    ///
    /// const SQUARE: Body<u64, u64> = Body::named("square", 1);
    ///
    /// let bodies = Bodies::new().with(SQUARE, |n| async move { Ok(n * n) });
    /// let bodies = bodies.around(|call, body| {
    ///     println!("{:?} runs {} {} of {}", call.worker, call.body, call.key, call.context);
    ///     body // with tracing: `Box::pin(body.instrument(span))`
    /// });
    /// # let smol = forloop_smol::Smol;
    /// # smol.block_on(async {
    /// let run = Remote::connect(&smol, "local:", &bodies).await?.run("squares").await?;
    /// let run = run.context(|_| "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    /// let squares = forloop_core::each([1, 2]).limit(2)?.on_remote(&run);
    /// assert_eq!(squares.try_gather(|n| SQUARE.call(n)).await?, [1, 4]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn around(
        self,
        wrap: impl Fn(CallContext<'_>, RunningBody) -> RunningBody + Send + Sync + 'static,
    ) -> Self {
        Self { around: Some(Arc::new(wrap)), ..self }
    }

    /// The names and versions, in order.
    pub fn ids(&self) -> Vec<BodyId> {
        self.functions.keys().cloned().collect()
    }

    pub(crate) fn limit(&self) -> usize {
        self.payload_limit
    }

    /// Starts the body of a job, or returns `None` if this process does not have it.
    pub(crate) fn start(&self, job: &Job, worker: Option<&str>) -> Option<RunningBody> {
        let function = self.functions.get(&job.body)?.clone();
        if job.payload.len() > self.payload_limit {
            let (bytes, limit) = (job.payload.len(), self.payload_limit);
            let error = CallError::TooLarge { bytes, limit };
            return Some(Box::pin(async { End::Call(error) }));
        }
        let (payload, limit) = (job.payload.clone(), self.payload_limit);
        // In the future: a panic of the function or of a decoder is one of the body.
        let body = async move { function.run(payload, limit).await };
        let Some(around) = self.around.clone() else { return Some(Box::pin(body)) };
        let Job { key, body: id, context, .. } = job.clone();
        let worker = worker.map(str::to_owned);
        Some(Box::pin(async move {
            let (context, worker) = (context.as_str(), worker.as_deref());
            let body = around(CallContext { body: &id, key, context, worker }, Box::pin(body));
            body.await
        }))
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
