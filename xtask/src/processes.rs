//! Starts child processes, and leaves none of them behind.

use std::{
    collections::BTreeMap,
    io,
    process::{self, Child, ChildStderr, ChildStdout, Command, ExitStatus},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// The children that run now: all of them can be ended at once, whoever waits for them.
///
/// On Unix each child leads a process group of its own, and ending the child ends the group: what it
/// started ends with it, and a Ctrl-C at the terminal reaches only us. Elsewhere a child is ended
/// alone.
#[derive(Debug, Clone, Default)]
pub struct Processes {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    // A child stays in the table until it is reaped, so no identifier in it can have been given to
    // another process.
    children: BTreeMap<u64, Child>,
}

impl Processes {
    /// Starts a child in a group of its own.
    ///
    /// # Errors
    ///
    /// Whatever [`Command::spawn`] fails with.
    pub fn start(&self, command: &mut Command) -> io::Result<Running> {
        lead_a_group(command);
        // The lock is held while the child starts: whoever ends all children sees this one or stops
        // it from beginning.
        let mut table = self.lock();
        let mut child = command.spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let id = table.next;
        table.next += 1;
        table.children.insert(id, child);
        drop(table);
        Ok(Running { processes: self.clone(), id, stdout, stderr })
    }

    /// Ends every child and then this process, so that no child can begin in between.
    pub fn end_all_and_exit(&self, code: i32) -> ! {
        let mut table = self.lock();
        for child in table.children.values_mut() {
            // The process ends in any case: there is nobody to tell.
            let _ = end(child);
        }
        // The lock is never given back: nobody may start a child, or report one as failed, now.
        process::exit(code)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // The table is whole between any two statements, whatever panicked.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A child that runs, or has run and is not reaped yet; dropping it ends it.
#[derive(Debug)]
#[must_use = "dropping it ends the process"]
pub struct Running {
    processes: Processes,
    id: u64,
    /// What the child prints, if that is piped.
    pub stdout: Option<ChildStdout>,
    /// What the child prints as errors, if that is piped.
    pub stderr: Option<ChildStderr>,
}

impl Running {
    /// Says whether the child has ended, without waiting for it.
    ///
    /// # Errors
    ///
    /// What the operating system fails with when asked.
    pub fn has_ended(&self) -> io::Result<bool> {
        match self.processes.lock().children.get_mut(&self.id) {
            Some(child) => has_ended(child),
            None => Ok(true),
        }
    }

    /// Sends the child what a Ctrl-C at its terminal would; `false` where there is no such thing.
    ///
    /// # Errors
    ///
    /// What the operating system fails with when asked.
    pub fn interrupt(&self) -> io::Result<bool> {
        match self.processes.lock().children.get(&self.id) {
            Some(child) => interrupt(child),
            None => Ok(true),
        }
    }

    /// Waits until the child has ended of its own accord.
    ///
    /// # Errors
    ///
    /// What the operating system fails with when asked.
    pub fn wait(self) -> io::Result<ExitStatus> {
        while !self.has_ended()? {
            thread::sleep(Duration::from_millis(5));
        }
        self.end()
    }

    /// Ends the child, if it has not ended yet, and in any case what it started.
    ///
    /// # Errors
    ///
    /// What the operating system fails with when asked for the exit status.
    pub fn end(mut self) -> io::Result<ExitStatus> {
        self.end_once()
    }

    fn end_once(&mut self) -> io::Result<ExitStatus> {
        let mut table = self.processes.lock();
        let Some(child) = table.children.get_mut(&self.id) else {
            return Ok(ExitStatus::default());
        };
        let status = end(child);
        table.children.remove(&self.id);
        status
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A destructor has nobody to tell.
        let _ = self.end_once();
    }
}

#[cfg(unix)]
fn lead_a_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn lead_a_group(_: &mut Command) {}

#[cfg(unix)]
fn interrupt(child: &Child) -> io::Result<bool> {
    use rustix::process::{Pid, Signal, kill_process};
    // It is not reaped yet, so its identifier is still its own.
    kill_process(Pid::from_child(child), Signal::INT)?;
    Ok(true)
}

#[cfg(not(unix))]
fn interrupt(_: &Child) -> io::Result<bool> {
    Ok(false)
}

#[cfg(unix)]
fn has_ended(child: &mut Child) -> io::Result<bool> {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    // `NOWAIT` leaves the child to be reaped: its group keeps its identifier until it is killed.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(Pid::from_child(child)), options)?.is_some())
}

#[cfg(not(unix))]
fn has_ended(child: &mut Child) -> io::Result<bool> {
    Ok(child.try_wait()?.is_some())
}

#[cfg(unix)]
fn end(child: &mut Child) -> io::Result<ExitStatus> {
    use rustix::process::{Pid, Signal, kill_process_group};
    // It fails where nobody is left in the group, which is what we want.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    child.wait()
}

#[cfg(not(unix))]
fn end(child: &mut Child) -> io::Result<ExitStatus> {
    // It fails where the child has ended, which is what we want.
    let _ = child.kill();
    child.wait()
}
