//! The futures that must be `Send`: spawned loops over owned items, and loops in the caller's task that
//! borrow inside a spawned task.

use forloop::places::WorkerPool;
use forloop::smol::Smol;

fn spawnable<F: Future<Output: Send> + Send + 'static>(future: F) -> F::Output {
    futures_lite::future::block_on(forloop::spawn(&Smol, future)).unwrap()
}

async fn length(word: &str) -> Result<usize, std::io::Error> {
    futures_lite::future::yield_now().await;
    Ok(word.len())
}

#[derive(Debug)]
struct Client(usize);

impl Client {
    async fn fetch(&self, url: &str) -> Result<usize, std::io::Error> {
        futures_lite::future::yield_now().await;
        Ok(self.0 + url.len())
    }
}

#[test]
fn a_spawned_gather_of_owned_bodies_is_send() {
    let squares = spawnable(async {
        forloop::each(0..10).unbounded().on(Smol).gather(|n| async move { n * n }).await
    });
    assert_eq!(squares[9], 81);
}

#[test]
fn a_bounded_loop_over_borrowed_items_inside_a_spawned_task_is_send() {
    let total = spawnable(async {
        let words = vec![String::from("to"), String::from("be")];
        let client = Client(1);
        let lengths =
            forloop::each(&words).limit(2).unwrap().gather(|word| client.fetch(word)).await;
        let settled =
            forloop::each(&words).limit(2).unwrap().settle(|word| client.fetch(word)).await;
        let tried = forloop::each(words.iter())
            .limit(2)
            .unwrap()
            .try_gather(|word| {
                let client = &client;
                async move { client.fetch(word).await }
            })
            .await;
        assert_eq!(settled.len() + tried.unwrap().len(), 4);
        lengths.into_iter().map(Result::unwrap).sum::<usize>()
    });
    assert_eq!(total, 6);
}

#[test]
fn the_streams_and_their_consumers_are_send() {
    let count = spawnable(async {
        let words = vec![String::from("to"), String::from("be")];
        let mut count = 0;
        forloop::each(&words)
            .limit(2)
            .unwrap()
            .as_completed(|word| length(word))
            .for_each(|(_, length)| {
                count += length.unwrap();
                futures_lite::future::yield_now()
            })
            .await;
        let mut lengths = forloop::each(&words).limit(2).unwrap().stream(|word| length(word));
        while let Some(length) = lengths.next().await {
            count += length.unwrap();
        }
        let returned: Result<(), std::io::Error> = forloop::each(words.iter().enumerate())
            .limit(2)
            .unwrap()
            .stream_unordered(|(_, word)| length(word))
            .try_for_each(|length| {
                let counted = length.map(|length| count += length);
                async { counted }
            })
            .await;
        returned.unwrap();
        forloop::each(&words)
            .unbounded()
            .stream_unordered(|word| length(word))
            .consume(|mut receiver| {
                let count = &mut count;
                async move {
                    while let Some(length) = receiver.next().await {
                        *count += length.unwrap();
                    }
                }
            })
            .await;
        count
    });
    assert_eq!(count, 16);
}

#[test]
fn groups_scopes_and_waits_are_send() {
    spawnable(async {
        let words = [String::from("to"), String::from("be")];
        let lengths = forloop::scope(|scope| async {
            let scope = scope;
            let lengths: Vec<_> = words.iter().map(|word| scope.spawn(length(word))).collect();
            let mut sum = 0;
            for length in lengths {
                sum += length.await.unwrap();
            }
            Ok(sum)
        });
        assert_eq!(lengths.await.unwrap(), 4);
        let sum = forloop::task_group(Smol, |group| async move {
            let two = group.spawn(async { Ok::<_, String>(2) });
            Ok(two.await.unwrap())
        });
        assert_eq!(sum.await, Ok(2));
        let mut running = forloop::TaskSet::new(words.iter().map(|word| length(word)));
        let (done, pending) = forloop::wait(&mut running)
            .first_failure()
            .timer(&Smol)
            .timeout(std::time::Duration::from_secs(60))
            .await;
        assert_eq!((done.len(), pending.len()), (2, 0));
    });
}

#[test]
fn the_free_functions_over_a_mapped_borrow_are_send() {
    spawnable(async {
        let words = [String::from("to"), String::from("be")];
        let client = Client(1);
        let lengths = forloop::gather(words.iter().map(|word| client.fetch(word))).await;
        assert_eq!(lengths.len(), 2);
        let lengths = forloop::sequential(words.iter().map(|word| client.fetch(word))).await;
        assert_eq!(lengths.len(), 2);
        let lengths = forloop::try_gather(words.iter().map(|word| client.fetch(word))).await;
        assert_eq!(lengths.unwrap(), [3, 3]);
        let lengths = forloop::settle(words.iter().map(|word| client.fetch(word))).await;
        assert_eq!(lengths.len(), 2);
        forloop::as_completed(words.iter().map(|word| client.fetch(word)))
            .for_each(async |(_, length)| assert_eq!(length.unwrap(), 3))
            .await;
        let mut lengths = forloop::as_completed(words.iter().map(|word| client.fetch(word)));
        while let Some((_, length)) = lengths.next().await {
            assert_eq!(length.unwrap(), 3);
        }
    });
}

#[test]
fn spawned_loops_of_boxed_bodies_are_send() {
    type Boxed = std::pin::Pin<Box<dyn Future<Output = u32> + Send>>;

    let total = spawnable(async {
        let offset = [1];
        let body = |n: u32| -> Boxed {
            let offset = offset[0];
            Box::pin(async move { n + offset })
        };
        let gathered = forloop::each(0..3).unbounded().on(Smol).gather(body).await;
        let mut total: u32 = gathered.into_iter().sum();
        let mut stream = forloop::each(0..3).limit(2).unwrap().on(Smol).stream(body);
        while let Some(n) = stream.next().await {
            total += n;
        }
        forloop::each(0..3)
            .limit(2)
            .unwrap()
            .on(Smol)
            .as_completed(body)
            .for_each(|(_, n)| {
                total += n;
                async {}
            })
            .await;
        total
    });
    assert_eq!(total, 18);
}

#[test]
fn loops_on_workers_over_boxed_bodies_are_send() {
    let sum = spawnable(async {
        let words = || [String::from("to"), String::from("be")];
        let time = std::time::Duration::from_secs(60);
        let mut sum = 0;
        let body = |word: String| -> futures_lite::future::Boxed<Result<usize, String>> {
            Box::pin(async move { Ok(length(&word).await.unwrap()) })
        };
        let looping = || forloop::each(words()).limit(2).unwrap().on_workers(Smol);
        sum += looping().try_gather(body).await.unwrap().len();
        sum += looping().timer(&Smol).timeout(time).settle(body).await.len();
        let mut stream = looping().timer(&Smol).deadline(time).stream(body);
        while let Some(length) = stream.next().await {
            sum += length.unwrap().unwrap();
        }
        sum
    });
    assert_eq!(sum, 8);
}

#[test]
fn loops_that_push_borrowed_items_to_workers_are_send() {
    let sum = spawnable(async {
        let words = vec![String::from("to"), String::from("be")];
        let time = std::time::Duration::from_secs(60);
        let mut sum = 0;
        let body = |word: &String| -> futures_lite::future::Boxed<Result<usize, String>> {
            let word = word.clone();
            Box::pin(async move { Ok(length(&word).await.unwrap()) })
        };
        let place = WorkerPool::new(Smol).push_dispatch();
        let looping = || forloop::each(&words).limit(2).unwrap().at(place);
        sum += looping().try_gather(body).await.unwrap().len();
        sum += looping().timeout(time).settle(body).await.len();
        let mut stream = looping().deadline(time).stream(body);
        while let Some(length) = stream.next().await {
            sum += length.unwrap().unwrap();
        }
        sum
    });
    assert_eq!(sum, 8);
}

#[test]
fn loops_with_options_are_send() {
    let total = spawnable(async {
        let words = vec![String::from("to"), String::from("be")];
        let client = Client(1);
        let token = forloop::CancelToken::new();
        let theirs = tokio_util::sync::CancellationToken::new();
        let time = std::time::Duration::from_secs(60);
        let settled = forloop::each(&words)
            .timeout(time)
            .limit(2)
            .unwrap()
            .deadline(time)
            .cancel_on(&token)
            .cancel_on(theirs.cancelled())
            .catch_panics()
            .settle(|word| client.fetch(word))
            .await;
        let gathered = forloop::each(words.iter())
            .timeout(time)
            .unbounded()
            .cancel_on(theirs.cancelled())
            .gather(async |word| client.fetch(word).await.unwrap())
            .await
            .unwrap();
        let tried = forloop::each(words.iter())
            .unbounded()
            .cancel_on(async {
                let () = std::future::pending().await;
            })
            .try_gather(|word| client.fetch(word))
            .await
            .unwrap();
        let lines = words.iter().map(Ok::<_, std::io::Error>);
        let fallible = forloop::try_each(lines)
            .unbounded()
            .deadline(time)
            .try_gather(|word| client.fetch(word))
            .await
            .unwrap();
        let raced = forloop::race_ok(words.iter().map(|word| client.fetch(word))).await.unwrap();
        let mut streamed = 0;
        let mut stream = forloop::each(&words)
            .unbounded()
            .timeout(time)
            .cancel_on(theirs.cancelled())
            .stream(|word| client.fetch(word));
        while let Some(item) = stream.next().await {
            streamed += item.unwrap().returned().unwrap().unwrap().unwrap();
        }
        forloop::each(&words)
            .unbounded()
            .cancel_on(theirs.cancelled())
            .as_completed(|word| client.fetch(word))
            .for_each(|item| {
                streamed += item.unwrap().1.unwrap();
                async {}
            })
            .await;
        let supervised = forloop::scope(|scope| async {
            let scope = scope;
            scope.spawn(length(&words[0]));
            Ok(())
        })
        .supervised()
        .deadline(time)
        .cancel_on(theirs.cancelled())
        .await
        .unwrap();
        assert!(supervised.failures.is_empty());
        let values = settled.into_result().unwrap();
        let gathered = gathered.into_iter().filter_map(forloop::Outcome::ok).sum::<usize>();
        values.into_iter().chain(tried).chain(fallible).sum::<usize>()
            + raced.1
            + gathered
            + streamed
    });
    assert_eq!(total, 39);
}

#[test]
fn spawned_loops_with_options_are_send() {
    let lengths = spawnable(async {
        let token = forloop::CancelToken::new();
        let time = std::time::Duration::from_secs(60);
        let body = |word: String| async move { length(&word).await };
        let words = || ["to", "be"].map(String::from);
        let looping = || forloop::each(words()).limit(2).unwrap().on(Smol);
        let settled = looping().timeout(time).cancel_on(&token).settle(body).await;
        let tried = looping().timeout(time).deadline(time).try_gather(body).await;
        let (_, first) = looping().cancel_on(&token).race_ok(body).await.unwrap();
        let mut sum = first;
        looping()
            .timeout(time)
            .cancel_on(&token)
            .stream_unordered(body)
            .for_each(|item| {
                sum += item.unwrap().returned().unwrap().unwrap().unwrap();
                async {}
            })
            .await;
        settled.into_result().unwrap().into_iter().chain(tried.unwrap()).sum::<usize>() + sum
    });
    assert_eq!(lengths, 14);
}

#[test]
fn the_strategies_with_one_result_are_send_over_borrowed_items_and_on_workers() {
    let sum = spawnable(async {
        use std::collections::BTreeMap;

        let words = vec![String::from("to"), String::from("be")];
        let client = Client(1);
        let looping = || forloop::each(&words).limit(2).unwrap();
        let lengths: BTreeMap<_, _> =
            looping().collect(async |word| (word, client.fetch(word).await.unwrap())).await;
        let tried: Vec<_> = looping().try_collect(|word| client.fetch(word)).await.unwrap();
        let mut extended = Vec::new();
        looping().extend(&mut extended, async |word| client.fetch(word).await.unwrap()).await;
        let kept = looping().filter_map(async |word| client.fetch(word).await.ok()).await;
        let boxed = |word| -> futures_lite::future::Boxed<Result<usize, String>> {
            let word = String::clone(word);
            Box::pin(async move { Ok(length(&word).await.unwrap()) })
        };
        let mut sum = looping()
            .fold(0, |word| client.fetch(word), |sum, (_, length)| sum + length.unwrap())
            .await;
        sum +=
            looping().on(Smol).try_fold(0, boxed, |sum, (_, length)| sum + length).await.unwrap();
        sum += looping()
            .first_ok(2, forloop::with_item(async |word: &String| client.fetch(word).await))
            .await
            .unwrap()
            .len();
        let workers = || forloop::each(0..2).limit(2).unwrap().on_workers(Smol);
        sum += workers().fold(0, async |n: usize| n, |sum, (_, n)| sum + n).await;
        sum +=
            workers().try_filter_map(async |n: usize| Ok::<_, String>(Some(n))).await.unwrap()[1];
        let sums: [usize; 3] =
            [lengths.into_values().sum(), tried.iter().sum(), extended.iter().sum()];
        sum + kept.len() + sums.into_iter().sum::<usize>()
    });
    assert_eq!(sum, 6 + 4 + 2 + 1 + 1 + 2 + 3 * 6);
}

#[test]
fn a_group_that_waits_for_children_to_be_ready_is_send() {
    let port = spawnable(async {
        forloop::task_group(Smol, |group| async move {
            let in_child = group.clone();
            let starts = group.start(|ready: forloop::types::ReadySignal<u16>| async move {
                let inner = in_child.start(|ready| async move {
                    ready.send(80);
                    Ok::<_, String>(())
                });
                ready.send(inner.await.map_err(|error| error.to_string())?.1);
                Ok(())
            });
            Ok::<u16, String>(starts.await.map_err(|error| error.to_string())?.1)
        })
        .await
    });
    assert_eq!(port, Ok(80));
}
