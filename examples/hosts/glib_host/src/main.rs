//! `glib_host`: GLib's main loop runs the loops on its one thread, as in a GTK program.
//!
//! Bodies hold an `Rc`, wait for GLib's timers, and are cancelled by GLib's events. There is no window and no
//! other runtime.

#![forbid(unsafe_code)]

mod seam;

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use forloop::{CancelToken, Outcome, Timer, ZeroLimit};
use glib::{ControlFlow, MainContext, MainLoop};

use seam::Glib;

/// Stands for a window, which belongs to its thread.
#[derive(Debug, Default)]
struct Window {
    at_once: Cell<u32>,
    most: Cell<u32>,
}

impl Window {
    fn begin(&self) {
        self.at_once.set(self.at_once.get() + 1);
        self.most.set(self.most.get().max(self.at_once.get()));
    }

    fn end(&self) {
        self.at_once.set(self.at_once.get() - 1);
    }
}

fn main() -> Result<(), ZeroLimit> {
    let context = MainContext::default();
    let main_loop = MainLoop::new(Some(&context), false);
    let window = Rc::new(Window::default());

    let glib = Glib(context);
    let program = forloop::spawn_local(&glib, {
        let (glib, main_loop, window) = (glib.clone(), main_loop.clone(), window.clone());
        async move {
            let done = program(&glib, &window).await;
            main_loop.quit();
            done
        }
    });
    main_loop.run();
    assert!(program.is_finished(), "only the program ends the main loop");
    forloop::block_on(program).expect("the program has completed")?;
    closing(&glib, &window);
    Ok(())
}

async fn program(glib: &Glib, window: &Rc<Window>) -> Result<(), ZeroLimit> {
    tasks(glib, window).await?;
    in_one_task(glib, window).await;
    without_time(glib).await;
    cancelled(glib).await;
    from_another_thread().await;
    assert_eq!(window.at_once.get(), 0);
    Ok(())
}

/// Runs each body as a task of GLib's; it owns what it uses, which need not be `Send`.
async fn tasks(glib: &Glib, window: &Rc<Window>) -> Result<(), ZeroLimit> {
    let turns = Rc::new(Cell::new(0_u32));
    let others = glib::timeout_add_local(Duration::from_millis(1), {
        let turns = turns.clone();
        move || {
            turns.set(turns.get() + 1);
            ControlFlow::Continue
        }
    });
    let bodies = forloop::each(0..4_u64).limit(2)?.on_local(glib).gather(|n| {
        let (glib, window) = (glib.clone(), window.clone());
        async move {
            window.begin();
            glib.sleep(Duration::from_millis(20)).await;
            window.end();
            n * n
        }
    });
    println!("bodies as tasks of the main loop, at most 2 at once: {:?}", bodies.await);
    assert!(window.most.get() <= 2);
    others.remove();
    // Forty milliseconds have passed, and the main loop has run its other sources.
    assert!(0 < turns.get());
    println!("the main loop did other things meanwhile");
    Ok(())
}

/// Runs the bodies in the task that awaits them: they may borrow, and GLib polls a single task.
async fn in_one_task(glib: &Glib, window: &Rc<Window>) {
    let naps = forloop::each([20_u64, 10, 0]).unbounded().gather(async |ms| {
        window.begin();
        glib.sleep(Duration::from_millis(ms)).await;
        window.end();
        ms
    });
    println!("bodies that borrow, in one task: {:?}", naps.await);
}

async fn without_time(glib: &Glib) {
    let settled = forloop::each([0, 60_000, 0]).unbounded();
    let settled = settled.timer(glib).timeout(Duration::from_millis(50));
    let settled = settled.settle(async |ms| {
        glib.sleep(Duration::from_millis(ms)).await;
        Ok::<u64, io::Error>(ms)
    });
    let settled = settled.await;
    assert!(matches!(settled[..], [Outcome::Ok(0), Outcome::TimedOut, Outcome::Ok(0)]));
    println!("the second of three bodies timed out, the others completed");
}

/// Stands for a button that is pressed.
async fn cancelled(glib: &Glib) {
    let stop = CancelToken::new();
    glib::idle_add_local_once({
        let stop = stop.clone();
        move || stop.cancel()
    });
    let naps = forloop::each([60, 3600]).unbounded().cancel_on(&stop);
    let naps = naps.gather(async |seconds| glib.sleep(Duration::from_secs(seconds)).await);
    println!("an event of the main loop: {}", naps.await.unwrap_err());
}

/// Uses a channel as the source of items; its sender wakes the main loop from another thread.
async fn from_another_thread() {
    let (sender, messages) = async_channel::unbounded();
    let worker = thread::spawn(move || {
        for n in 1..=3 {
            sender.send_blocking(n).expect("the receiver exists");
        }
    });
    let doubled = forloop::each_stream(messages).unbounded().gather(async |n| n * 2).await;
    worker.join().expect("the thread does not panic");
    println!("messages of another thread: {doubled:?}");
}

/// Closes the window under a running loop, and waits until the loop has stopped.
fn closing(glib: &Glib, window: &Rc<Window>) {
    let naps = forloop::each([60, 3600]).unbounded().on_local(glib.clone()).gather({
        let (glib, window) = (glib.clone(), window.clone());
        move |seconds| {
            let (glib, window) = (glib.clone(), window.clone());
            async move {
                window.begin();
                glib.sleep(Duration::from_secs(seconds)).await;
                window.end();
            }
        }
    });
    let naps = forloop::spawn_local(glib, naps);
    while window.at_once.get() < 2 {
        glib.0.iteration(true);
    }
    assert!(1 < Rc::strong_count(window));
    assert_eq!(glib.0.block_on(naps.cancel()), None);
    assert_eq!(Rc::strong_count(window), 1);
    println!("the window is closed: nothing holds it any more");
}
