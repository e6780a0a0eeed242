//! The cells of tasks: values, wakers and the end of a block.

use loom::alloc::Track;
use loom::thread;

use super::super::task_cells::{CANCELLED, Cell, CellBlock, EXPIRED};
use super::{model, parked};

/// A value that must not leak.
type Value = Track<usize>;

fn block(cells: usize) -> CellBlock<Value, Track<()>> {
    CellBlock::new(Track::new(()), cells)
}

/// Waits for the value of a task.
fn wait_for(cell: &Cell<Value>) -> usize {
    loop {
        match cell.take() {
            Some(value) => return value.into_inner(),
            None => thread::yield_now(),
        }
    }
}

/// Asks a task to stop.
fn stop(cell: &Cell<Value>, request: u8) {
    if let Some(waker) = cell.stop(request) {
        waker.wake();
    }
}

#[test]
fn a_loop_takes_the_value_of_each_task_that_has_used_a_cell() {
    model(|| {
        let mut block = block(1);
        for value in 0..2 {
            let task = block.start(0).expect("the cell is free");
            assert!(block.start(0).is_none(), "a cell has one task");
            let task = thread::spawn(move || drop(task.complete(Track::new(value))));
            assert_eq!(wait_for(block.cell(0)), value);
            task.join().unwrap();
        }
    });
}

#[test]
fn a_task_that_waits_is_woken_to_stop() {
    model(|| {
        let mut block = block(1);
        let mut task = block.start(0).expect("the cell is free");
        let task = thread::spawn(move || {
            let (parked, waker) = parked();
            while task.register(&waker) {
                parked.0.wait();
            }
            drop(task.complete(Track::new(1)));
        });
        stop(block.cell(0), CANCELLED);
        task.join().unwrap();
        assert_eq!(wait_for(block.cell(0)), 1);
    });
}

#[test]
fn a_waker_is_dropped_once_whoever_owns_it() {
    model(|| {
        let mut block = block(1);
        let mut task = block.start(0).expect("the cell is free");
        let task = thread::spawn(move || {
            let ((_, first), (_, second)) = (parked(), parked());
            let is_asked = !task.register(&first) || !task.register(&second);
            drop(task.complete(Track::new(usize::from(is_asked))));
        });
        stop(block.cell(0), EXPIRED);
        stop(block.cell(0), CANCELLED);
        task.join().unwrap();
        assert!(block.cell(0).take().is_some());
    });
}

#[test]
fn a_block_is_freed_once_after_its_last_use() {
    model(|| {
        let mut block = block(2);
        let (first, second) = (block.start(0), block.start(1));
        let first = thread::spawn(move || drop(first.expect("free").complete(Track::new(0))));
        drop(block);
        drop(second.expect("free").complete(Track::new(1)));
        first.join().unwrap();
    });
}
