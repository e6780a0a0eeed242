//! A run: one loop over items whose bodies are elsewhere.

use std::fmt;
use std::sync::Arc;

use crate::bodies::Bodies;
use crate::error::RemoteError;
use crate::job::JobKey;
use crate::producer::Producer;
use crate::runtime::SharedRuntime;

/// A loop's run, under a name that outlives the process: the place of its bodies.
///
/// [`Remote::run`](crate::Remote::run) opens it, or resumes it. A run is for one loop: its jobs are named by the indices of
/// the items. It may be cloned, and its lease ends with the last clone.
#[derive(Clone)]
pub struct Run {
    inner: Arc<Inner>,
    context: Option<Arc<dyn Fn(JobKey) -> String + Send + Sync>>,
}

struct Inner {
    name: String,
    payload_limit: usize,
    place: Where,
}

/// Where the bodies of a run are.
pub(crate) enum Where {
    /// In this process.
    Local {
        /// What can run.
        bodies: Bodies,
        /// What spawns it.
        runtime: SharedRuntime,
    },
    /// On workers.
    Remote(Arc<Producer>),
}

impl Run {
    pub(crate) fn new(name: &str, payload_limit: usize, place: Where) -> Self {
        let inner = Arc::new(Inner { name: name.to_owned(), payload_limit, place });
        Self { inner, context: None }
    }

    /// The name of the run.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Calls `context` for each attempt when it starts, in the task of the loop, and passes the text on to the process that
    /// runs it: a `traceparent`, for instance. A text above 1 KiB is not sent. [`Bodies::around`](crate::Bodies::around)
    /// receives it.
    ///
    /// It is no part of the item: a run that is resumed may have another one.
    #[must_use]
    pub fn context(self, context: impl Fn(JobKey) -> String + Send + Sync + 'static) -> Self {
        Self { context: Some(Arc::new(context)), ..self }
    }

    /// Deletes what the broker has of this run: its outcomes, and jobs that are queued. A loop that uses the name
    /// afterwards begins anew.
    ///
    /// A loop that still uses the run ends with [`RunTaken`](crate::CallError::RunTaken) for each item that waits.
    ///
    /// # Errors
    ///
    /// If the broker is unavailable for the time of the [patience](crate::Remote::patience). The lease of the run is not
    /// renewed any more.
    ///
    /// # Cancel safety
    ///
    /// The call requests the deletion. Dropping the future only stops waiting.
    pub async fn forget(self) -> Result<(), RemoteError> {
        match &self.inner.place {
            Where::Local { .. } => Ok(()),
            Where::Remote(producer) => producer.forget().await.map_err(RemoteError::from),
        }
    }

    pub(crate) fn context_of(&self, key: JobKey) -> String {
        self.context.as_ref().map_or_else(String::new, |context| context(key))
    }

    pub(crate) fn payload_limit(&self) -> usize {
        self.inner.payload_limit
    }

    pub(crate) fn place(&self) -> &Where {
        &self.inner.place
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Where::Remote(producer) = &self.place {
            producer.close();
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("name", &self.inner.name).finish_non_exhaustive()
    }
}

/// Whether this may name a run. It is part of keys.
pub(crate) fn is_run_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=200).contains(&name.len()) && name.bytes().all(is_allowed)
}
