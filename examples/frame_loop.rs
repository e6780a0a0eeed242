//! `frame_loop`: the program has its own main loop and starts no runtime. Each frame runs a few steps of a
//! concurrent loop, and is drawn whether or not the bodies have completed.
//!
//! verify: no-runtime

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use async_executor::LocalExecutor;
use forloop::ZeroLimit;

/// The number of ticks of the executor in a frame.
const TICKS: usize = 8;

/// The state that the frames and the bodies share, on one thread.
#[derive(Default)]
struct Stage {
    frame: Cell<u32>,
    /// The wakers of the bodies that wait for the next frame.
    waiting: RefCell<Vec<Waker>>,
    in_flight: RefCell<Vec<u32>>,
}

impl Stage {
    fn begin_frame(&self) {
        self.frame.set(self.frame.get() + 1);
        self.waiting.take().into_iter().for_each(Waker::wake);
    }

    fn draw(&self) {
        println!("frame {}: {:?} in flight", self.frame.get(), self.in_flight.borrow());
    }

    /// Waits until `count` more frames have begun.
    async fn frames(&self, count: u32) {
        let due = self.frame.get() + count;
        poll_fn(|cx| {
            if self.frame.get() >= due {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

async fn work(stage: Rc<Stage>, n: u32) {
    stage.in_flight.borrow_mut().push(n);
    stage.frames(1 + n % 3).await;
    stage.in_flight.borrow_mut().retain(|&other| other != n);
    println!(">task done with {n}");
}

fn main() -> Result<(), ZeroLimit> {
    println!("Main starting");
    let stage = Rc::new(Stage::default());
    let executor = LocalExecutor::new();
    let bodies = forloop::each(0..10).limit(3)?.for_each({
        let stage = stage.clone();
        move |n| work(stage.clone(), n)
    });
    let bodies = executor.spawn(bodies);
    while !bodies.is_finished() {
        stage.begin_frame();
        for _ in 0..TICKS {
            executor.try_tick();
        }
        stage.draw();
    }
    println!("Main done");
    Ok(())
}
