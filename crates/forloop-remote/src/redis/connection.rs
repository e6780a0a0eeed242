//! Connections: one for commands, and one for each reader that blocks. A connection that has failed is replaced.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, Pipeline, RedisError, ScriptInvocation, Value,
};
use ::redis::{ServerErrorKind, cmd, from_redis_value};
use forloop_core::{Timer, race};

use crate::error::EngineError;
use crate::queue::lock;
use crate::runtime::SharedRuntime;

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a command may take.
const RESPONSE: Duration = Duration::from_secs(10);

pub(super) struct Connections {
    /// Never printed: it has the password.
    client: Client,
    runtime: SharedRuntime,
    commands: Mutex<Option<MultiplexedConnection>>,
    readers: Mutex<BTreeMap<String, Reader>>,
    turn: AtomicUsize,
}

/// A run that reads reports, or a worker that takes jobs.
#[derive(Default)]
struct Reader {
    /// `None` while it is in use, and after an error.
    connection: Option<MultiplexedConnection>,
    last_read: Option<String>,
}

impl Connections {
    pub(super) async fn open(url: &str, runtime: SharedRuntime) -> Result<Self, EngineError> {
        // The crate's message has no part of the URL.
        let client = Client::open(url)
            .map_err(|_| EngineError::Refused("the URL is not one of a Redis server".into()))?;
        let (commands, readers) = (Mutex::default(), Mutex::default());
        let connections = Self { client, runtime, commands, readers, turn: AtomicUsize::new(0) };
        connections.check_policy().await?;
        Ok(connections)
    }

    /// Checks that the server evicts no keys: a job would be lost in silence.
    async fn check_policy(&self) -> Result<(), EngineError> {
        let info = self.query(cmd("INFO").arg("memory")).await?;
        let info: String = from_redis_value(info).map_err(|_| super::reply::unknown())?;
        let policy = info.lines().find_map(|line| line.strip_prefix("maxmemory_policy:"));
        match policy.map(str::trim) {
            None | Some("noeviction") => Ok(()),
            Some(policy) => Err(EngineError::Refused(format!(
                "its `maxmemory-policy` is `{policy}`, which may delete jobs; set it to `noeviction`"
            ))),
        }
    }

    async fn connect(
        &self,
        response: Option<Duration>,
    ) -> Result<MultiplexedConnection, EngineError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(response);
        let connected = self.client.get_multiplexed_async_connection_with_config(&config).await;
        connected.map_err(|error| match error.kind() {
            ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig => {
                EngineError::Refused(error.category().to_string())
            }
            _ => engine_error(error),
        })
    }

    async fn commands(&self) -> Result<MultiplexedConnection, EngineError> {
        let open = lock(&self.commands).clone();
        match open {
            Some(connection) => Ok(connection),
            None => {
                let connection = self.connect(Some(RESPONSE)).await?;
                *lock(&self.commands) = Some(connection.clone());
                Ok(connection)
            }
        }
    }

    /// Drops the connection for commands after an error that may be its own.
    fn checked(&self, result: Result<Value, RedisError>) -> Result<Value, EngineError> {
        result.map_err(|error| {
            if !matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) {
                *lock(&self.commands) = None;
            }
            engine_error(error)
        })
    }

    /// Runs a command that does not block.
    pub(super) async fn query(&self, command: &Cmd) -> Result<Value, EngineError> {
        let mut connection = self.commands().await?;
        self.checked(command.query_async(&mut connection).await)
    }

    /// Runs a script.
    pub(super) async fn invoke(&self, script: &ScriptInvocation<'_>) -> Result<Value, EngineError> {
        let mut connection = self.commands().await?;
        self.checked(script.invoke_async(&mut connection).await)
    }

    /// Sends commands at once, of which the last blocks for up to `wait` and only the last has an answer, on a connection of their
    /// reader. If the future is dropped, so is the connection: the answer would be that of the next command.
    pub(super) async fn query_blocking(
        &self,
        reader: &str,
        commands: &Pipeline,
        wait: Duration,
    ) -> Result<Value, EngineError> {
        let open = lock(&self.readers).entry(reader.to_owned()).or_default().connection.take();
        let mut connection = match open {
            Some(connection) => connection,
            None => self.connect(None).await?,
        };
        let answer = async { Some(commands.query_async(&mut connection).await) };
        let late = async {
            self.runtime.sleep(wait + RESPONSE).await;
            None
        };
        let parts: [Pin<Box<dyn Future<Output = Option<Result<Value, RedisError>>> + Send + '_>>;
            2] = [Box::pin(answer), Box::pin(late)];
        let answer = race(parts).await.ok().and_then(|(_, answer)| answer);
        let answer = answer.ok_or_else(|| EngineError::unavailable("no answer in time"))?;
        let answer = answer.map_err(engine_error)?;
        lock(&self.readers).entry(reader.to_owned()).or_default().connection = Some(connection);
        match answer {
            Value::Array(mut answers) if answers.len() == 1 => Ok(answers.remove(0)),
            _ => Err(super::reply::unknown()),
        }
    }

    /// The id of the last entry that a reader has read; `0` if it has read none.
    pub(super) fn last_read(&self, reader: &str) -> String {
        let readers = lock(&self.readers);
        let last = readers.get(reader).and_then(|reader| reader.last_read.clone());
        last.unwrap_or_else(|| "0".to_owned())
    }

    pub(super) fn set_last_read(&self, reader: &str, id: String) {
        lock(&self.readers).entry(reader.to_owned()).or_default().last_read = Some(id);
    }

    /// Forgets a reader.
    pub(super) fn close(&self, reader: &str) {
        let closed = lock(&self.readers).remove(reader);
        drop(closed);
    }

    /// A number that grows with each call.
    pub(super) fn next_turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }
}

/// What an error means for the protocol.
fn engine_error(error: RedisError) -> EngineError {
    if error.code() == Some("RUNTAKEN") {
        return EngineError::RunTaken;
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => {
            EngineError::Refused(error.to_string())
        }
        // Others pass: the server loads its log, is full, or is a replica for a moment.
        _ => EngineError::unavailable(error),
    }
}
