//! The spans and events of a loop, and their parents.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use forloop_core::backon::ConstantBuilder;
use forloop_core::{BlockOn, each};
use forloop_smol::Smol;
use forloop_tracing::{Events, Spans};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Instrument, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Records each event with the spans around it, innermost last.
#[derive(Clone, Default)]
struct Log {
    lines: Arc<Mutex<Vec<String>>>,
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Times differ between runs.
        if field.name() != "at" {
            self.0 += &format!(" {}={value:?}", field.name());
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields(attributes.metadata().name().to_owned());
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        record.record(span.extensions_mut().get_mut::<Fields>().unwrap());
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let mut line = String::new();
        for span in context.event_scope(event).unwrap().from_root() {
            line += &span.extensions().get::<Fields>().unwrap().0;
            line += ": ";
        }
        let mut fields = Fields(line + event.metadata().level().as_str());
        event.record(&mut fields);
        self.lines.lock().unwrap().push(fields.0);
    }
}

impl Log {
    fn lines(&self) -> BTreeSet<String> {
        self.lines.lock().unwrap().iter().cloned().collect()
    }
}

#[test]
fn each_attempt_has_a_span_inside_the_callers_on_any_thread() {
    let log = Log::default();
    // Set globally, because the runtime's threads need it too.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(log.clone()))
        .unwrap();
    let again = ConstantBuilder::default().with_delay(Duration::ZERO).with_max_times(1);
    let looping = each([7, 8]).unbounded().on(Smol).layer(Spans::named("crawl"));
    let looping = looping.timer(&Smol).retry(again).observe(Events).settle(|n| async move {
        futures_lite::future::yield_now().await;
        tracing::info!(n, "runs");
        if n == 8 { Err("no") } else { Ok(n) }
    });
    let settled = Smol.block_on(looping.instrument(tracing::info_span!("job", id = 3)));
    assert_eq!(settled.errors().count(), 1);
    let expected = [
        "job id=3: body index=0 attempt=1 loop=\"crawl\": INFO message=runs n=7",
        "job id=3: body index=1 attempt=1 loop=\"crawl\": INFO message=runs n=8",
        "job id=3: body index=1 attempt=2 loop=\"crawl\": INFO message=runs n=8",
        "job id=3: DEBUG message=loop started lower=2 upper=Some(2)",
        "job id=3: DEBUG message=started index=0 attempt=1",
        "job id=3: DEBUG message=started index=1 attempt=1",
        "job id=3: DEBUG message=started index=1 attempt=2",
        "job id=3: DEBUG message=completed index=0 attempts=1 outcome=Ok",
        "job id=3: INFO message=failed, will be retried index=1 attempt=1 outcome=Failed after=0ns",
        "job id=3: TRACE message=queued index=0",
        "job id=3: TRACE message=queued index=1",
        "job id=3: WARN message=failed index=1 attempts=2 outcome=Failed",
    ];
    assert_eq!(log.lines(), expected.map(str::to_owned).into());
}
