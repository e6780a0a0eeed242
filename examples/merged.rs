//! `merged`: readings of two sensors and a user's commands arrive over time. futures-concurrency merges the three
//! streams into one, and a single loop records what comes, so its state needs no lock.

use std::time::Duration;

use forloop::{AnyRuntime, Const, NoRuntime, Timer};
use futures_concurrency::prelude::*;
use futures_lite::stream::{self, Stream};

enum Event {
    Reading(&'static str, i32),
    Command(&'static str),
}

/// What happens, with the seconds before each event.
fn over_time<T: Clone>(
    runtime: &AnyRuntime,
    events: &[(u64, T)],
    event: impl Fn(T) -> Event,
) -> impl Stream<Item = Event> {
    stream::unfold((events.iter(), event), async |(mut events, event)| {
        let (seconds, next) = events.next()?;
        runtime.sleep(Duration::from_secs(*seconds)).await;
        Some((event(next.clone()), (events, event)))
    })
}

fn main() -> Result<(), NoRuntime> {
    forloop::run(async |runtime| {
        println!("Main starting");
        // At 1, 4, 7 and 10 seconds; at 2, 5 and 8; at 3 and 6.
        let kitchen = [(1, 21), (3, 23), (3, 25), (3, 22)];
        let kitchen = over_time(&runtime, &kitchen, |degrees| Event::Reading("kitchen", degrees));
        let garden = [(2, 14), (3, 12), (3, 11)];
        let garden = over_time(&runtime, &garden, |degrees| Event::Reading("garden", degrees));
        let commands = [(3, "report"), (3, "report")];
        let commands = over_time(&runtime, &commands, Event::Command);

        let (mut warmest, mut readings) = (i32::MIN, 0);
        forloop::each_stream((kitchen, garden, commands).merge())
            .limit(Const::<2>)
            .stream(async |event| {
                // It is recorded while others arrive.
                runtime.sleep(Duration::from_millis(400)).await;
                event
            })
            .for_each(|event| {
                match event {
                    Event::Reading(room, degrees) => {
                        println!(">{room}: {degrees} degrees");
                        warmest = warmest.max(degrees);
                        readings += 1;
                    }
                    Event::Command(command) => {
                        println!(">{command}: {readings} readings, {warmest} degrees at most");
                    }
                }
                std::future::ready(())
            })
            .await;
        println!("Main done: {readings} readings, {warmest} degrees at most");
    })
}
