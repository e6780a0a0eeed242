//! The engine on Redis or Valkey Streams.
//!
//! All keys begin with `{forloop}`, one hash tag, so the scripts are legal in a cluster.
//!
//! | key | what |
//! |---|---|
//! | `{forloop}:jobs:BODY` | a stream of queued and held jobs for each body, with the consumer group `w`; a worker is a consumer |
//! | `{forloop}:run:RUN` | the set of the keys below |
//! | `{forloop}:run:RUN:N` | the states of 64 items: hashes that small values keep compact |
//! | `{forloop}:reports:RUN` | a stream of outcomes for the producer, which trims what it has read |
//! | `{forloop}:lease:RUN` | the producer, with an expiry |
//! | `{forloop}:served` | bodies by the time until which a worker serves them |
//! | `{forloop}:runs` | the runs, by the time at which each expires |
//! | `{forloop}:bodies` | the set of all bodies, and in `{forloop}:deaths` how often a worker died that held one |
//! | `{forloop}:dead` | the last thousand entries that were no jobs |
//!
//! Who holds a job, for how long and how often it was delivered is the group's pending list. A lease is its idle time. The first four
//! and `dead` change in scripts, each of which is one atomic step of the protocol.

mod connection;
mod reply;
mod scripts;
mod status;

use std::sync::Arc;
use std::time::Duration;

use ::redis::pipe;

use self::connection::Connections;
use self::reply::{
    Entry, bytes_of, deliveries_of, entries_of, list_of, number_of, parts_of, text_of,
};
use self::scripts::{Name, Scripts};
use crate::end::End;
use crate::engine::{Delivery, Engine, EngineFuture, Lease, Submission};
use crate::error::EngineError;
use crate::job::{BodyId, Job, JobKey};
use crate::runtime::SharedRuntime;
use crate::status::Status;

/// What all keys begin with.
const PREFIX: &str = "{forloop}";

/// How many entries one read returns, at most.
const COUNT: usize = 1_000;

/// How many runs a status has, at most.
const RUNS: usize = 1_000;

/// How many buckets one script deletes.
const BUCKETS: usize = 200;

/// The engine.
pub(crate) struct Redis {
    connections: Connections,
    scripts: Scripts,
    /// The largest outcome that is decoded.
    payload_limit: usize,
}

impl Redis {
    /// Connects, and checks that the server evicts nothing.
    pub(crate) async fn connect(
        url: &str,
        runtime: SharedRuntime,
        payload_limit: usize,
    ) -> Result<Self, EngineError> {
        let connections = Connections::open(url, runtime).await?;
        Ok(Self { connections, scripts: Scripts::new(), payload_limit })
    }

    async fn script(&self, name: Name, args: &[&[u8]]) -> Result<::redis::Value, EngineError> {
        let script = self.scripts.get(name);
        let mut invocation = script.key(PREFIX);
        for arg in args {
            invocation.arg(*arg);
        }
        self.connections.invoke(&invocation).await
    }

    /// Removes entries that are no jobs.
    async fn discard(&self, body: &str, ids: &[String]) -> Result<(), EngineError> {
        let mut args = vec![body.as_bytes()];
        args.extend(ids.iter().map(String::as_bytes));
        self.script(Name::Discard, &args).await.map(drop)
    }
}

/// How long a read blocks: zero would be forever.
fn milliseconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1)
}

fn stream_of(body: &BodyId) -> String {
    format!("{PREFIX}:jobs:{body}")
}

impl Engine for Redis {
    fn hold<'a>(
        &'a self,
        run: &'a str,
        producer: &'a str,
        lease: Duration,
        expiry: Option<Duration>,
    ) -> EngineFuture<'a, bool> {
        Box::pin(async move {
            let lease = lease.as_millis().to_string();
            let expiry = expiry.map_or("never".to_owned(), |expiry| expiry.as_millis().to_string());
            let args = [run, producer, &lease, &expiry].map(str::as_bytes);
            Ok(number_of(&self.script(Name::Hold, &args).await?)? == 1)
        })
    }

    fn release<'a>(&'a self, run: &'a str, producer: &'a str) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            self.connections.close(run);
            let args = [run.as_bytes(), producer.as_bytes()];
            self.script(Name::Release, &args).await.map(drop)
        })
    }

    fn submit<'a>(
        &'a self,
        run: &'a str,
        producer: &'a str,
        jobs: &'a [Arc<Job>],
    ) -> EngineFuture<'a, Vec<Submission>> {
        Box::pin(async move {
            let texts: Vec<_> = jobs
                .iter()
                .map(|job| {
                    let fingerprint = format!("{:016x}", job.fingerprint);
                    (job.key.to_string(), fingerprint, job.body.to_string())
                })
                .collect();
            let mut args = vec![run.as_bytes(), producer.as_bytes()];
            for (job, (key, fingerprint, body)) in jobs.iter().zip(&texts) {
                let once: &[u8] = if job.is_once { b"1" } else { b"0" };
                args.extend([key.as_bytes(), fingerprint.as_bytes(), once, body.as_bytes()]);
                args.extend([&job.payload[..], job.context.as_bytes()]);
            }
            let answers = self.script(Name::Submit, &args).await?;
            let submission = |answer| {
                Ok(match bytes_of(answer)?.split_first() {
                    Some((b'P', _)) => Submission::Pending,
                    Some((b'X', _)) => Submission::Different,
                    Some((b'D', end)) => Submission::Done(End::from_bytes(end, self.payload_limit)),
                    _ => return Err(reply::unknown()),
                })
            };
            list_of(&answers)?.iter().map(submission).collect()
        })
    }

    fn outcomes<'a>(
        &'a self,
        run: &'a str,
        wait: Duration,
    ) -> EngineFuture<'a, Vec<(JobKey, End)>> {
        Box::pin(async move {
            let key = format!("{PREFIX}:reports:{run}");
            let last = self.connections.last_read(run);
            let mut request = pipe();
            if last != "0" {
                // What the call before this one has returned. It is sent with the read, so it costs no round trip.
                request.cmd("XTRIM").arg(&key).arg("MINID").arg(reply::after(&last)).ignore();
            }
            let read = request.cmd("XREAD");
            read.arg("COUNT").arg(COUNT).arg("BLOCK").arg(milliseconds(wait));
            read.arg("STREAMS").arg(&key).arg(&last);
            let answer = self.connections.query_blocking(run, &request, wait).await?;
            let mut outcomes = Vec::new();
            for (_, entries) in entries_of(&answer)? {
                for Entry { id, fields } in entries {
                    // An entry that is no outcome is trimmed with the others.
                    if let (Some(key), Some(end)) =
                        (fields.get("k").and_then(|key| reply::job_key(key)), fields.get("e"))
                    {
                        outcomes.push((key, End::from_bytes(end, self.payload_limit)));
                    }
                    self.connections.set_last_read(run, id);
                }
            }
            Ok(outcomes)
        })
    }

    fn stop<'a>(&'a self, run: &'a str, jobs: &'a [JobKey]) -> EngineFuture<'a, Vec<Option<End>>> {
        Box::pin(async move {
            let keys: Vec<_> = jobs.iter().map(ToString::to_string).collect();
            let mut args = vec![run.as_bytes()];
            args.extend(keys.iter().map(String::as_bytes));
            let answers = self.script(Name::Stop, &args).await?;
            let end = |answer| {
                let bytes = bytes_of(answer)?;
                let end = || End::from_bytes(bytes, self.payload_limit);
                Ok((!bytes.is_empty()).then(end))
            };
            list_of(&answers)?.iter().map(end).collect()
        })
    }

    fn forget<'a>(&'a self, run: &'a str, producer: &'a str) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            let most = BUCKETS.to_string();
            let args = [run.as_bytes(), producer.as_bytes(), most.as_bytes()];
            while number_of(&self.script(Name::Forget, &args).await?)? == 1 {}
            self.connections.close(run);
            Ok(())
        })
    }

    fn take<'a>(
        &'a self,
        worker: &'a str,
        bodies: &'a [BodyId],
        room: usize,
        _lease: Duration,
        wait: Duration,
    ) -> EngineFuture<'a, Vec<Delivery>> {
        Box::pin(async move {
            // The count is for each stream: no more of them than there is room for, others the next time.
            let streams = bodies.len().min(room);
            if streams == 0 {
                return Ok(Vec::new());
            }
            let first = self.connections.next_turn() % bodies.len();
            let chosen: Vec<_> = bodies.iter().cycle().skip(first).take(streams).collect();
            let mut request = pipe();
            let read = request.cmd("XREADGROUP");
            read.arg("GROUP").arg("w").arg(worker);
            read.arg("COUNT").arg((room / streams).min(COUNT));
            read.arg("BLOCK").arg(milliseconds(wait)).arg("STREAMS");
            read.arg(chosen.iter().map(|body| stream_of(body)).collect::<Vec<_>>());
            read.arg(vec![">"; streams]);
            let answer = self.connections.query_blocking(worker, &request, wait).await?;
            let mut deliveries = Vec::new();
            for (stream, entries) in entries_of(&answer)? {
                let Some(body) = chosen.iter().find(|body| stream_of(body) == stream) else {
                    continue;
                };
                let (jobs, foreign) = deliveries_of(body, entries);
                deliveries.extend(jobs);
                if !foreign.is_empty() {
                    // Without an answer they are removed when their lease is over.
                    let _discarded = self.discard(&body.to_string(), &foreign).await;
                }
            }
            Ok(deliveries)
        })
    }

    fn begin<'a>(
        &'a self,
        worker: &'a str,
        delivery: &'a str,
        is_alone: bool,
    ) -> EngineFuture<'a, bool> {
        Box::pin(async move {
            let [id, run, key, body] = parts_of(delivery);
            // Both marks, if it is alone: a job that starts alone has started.
            let flags: &[&[u8]] = if is_alone { &[b"b", b"a"] } else { &[b"b"] };
            for flag in flags {
                let args = [worker.as_bytes(), id, run, key, body, *flag];
                if number_of(&self.script(Name::Begin, &args).await?)? != 1 {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    fn renew<'a>(
        &'a self,
        worker: &'a str,
        deliveries: &'a [String],
        _lease: Duration,
    ) -> EngineFuture<'a, Vec<Lease>> {
        Box::pin(async move {
            let mut args = vec![worker.as_bytes()];
            deliveries.iter().for_each(|delivery| args.extend(parts_of(delivery)));
            let answers = self.script(Name::Renew, &args).await?;
            let lease = |answer| {
                Ok(match bytes_of(answer)? {
                    b"K" => Lease::Kept,
                    b"S" => Lease::Stopped,
                    _ => Lease::TakenOver,
                })
            };
            list_of(&answers)?.iter().map(lease).collect()
        })
    }

    fn complete<'a>(&'a self, worker: &'a str, ended: &'a [(String, End)]) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            for batch in ended.chunks(COUNT) {
                let ends: Vec<_> = batch.iter().map(|(_, end)| end.to_bytes()).collect();
                let mut args = vec![worker.as_bytes()];
                for ((delivery, _), end) in batch.iter().zip(&ends) {
                    args.extend(parts_of(delivery));
                    args.push(end);
                }
                self.script(Name::Complete, &args).await?;
            }
            Ok(())
        })
    }

    fn reclaim<'a>(
        &'a self,
        worker: &'a str,
        bodies: &'a [BodyId],
        room: usize,
        lease: Duration,
    ) -> EngineFuture<'a, Vec<Delivery>> {
        Box::pin(async move {
            let (lease, room) = (lease.as_millis().to_string(), room.to_string());
            let names: Vec<_> = bodies.iter().map(ToString::to_string).collect();
            let mut args = vec![worker.as_bytes(), lease.as_bytes(), room.as_bytes()];
            args.extend(names.iter().map(String::as_bytes));
            let answers = self.script(Name::Reclaim, &args).await?;
            let mut deliveries = Vec::new();
            for answer in list_of(&answers)? {
                let [body, id, count, fields] = list_of(answer)? else {
                    return Err(reply::unknown());
                };
                let at = names.iter().position(|name| Some(name.as_str()) == text_of(body).ok());
                let body = at.map(|at| &bodies[at]).ok_or_else(reply::unknown)?;
                let entry = Entry::new(text_of(id)?, fields)?;
                let deaths = text_of(count)?.parse().map_err(|_| reply::unknown())?;
                let (jobs, foreign) = deliveries_of(body, vec![entry]);
                deliveries.extend(jobs.into_iter().map(|job| Delivery { deaths, ..job }));
                if !foreign.is_empty() {
                    self.discard(&body.to_string(), &foreign).await?;
                }
            }
            Ok(deliveries)
        })
    }

    fn served(&self) -> EngineFuture<'_, Vec<BodyId>> {
        Box::pin(async move {
            let answer = self.script(Name::Served, &[]).await?;
            let bodies = list_of(&answer)?.iter().filter_map(|name| text_of(name).ok());
            Ok(bodies.filter_map(BodyId::parse).collect())
        })
    }

    fn status(&self) -> EngineFuture<'_, Status> {
        Box::pin(async move {
            let most = RUNS.to_string();
            status::parse(&self.script(Name::Status, &[most.as_bytes()]).await?)
        })
    }
}
