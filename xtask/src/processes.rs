//! Starts child processes, and kills them with everything they started.

use std::{
    collections::BTreeMap,
    io,
    process::{self, Child, ChildStderr, ChildStdout, Command, ExitStatus},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// The running child processes. One call kills all of them, from any thread.
///
/// On Unix each child leads a process group of its own, and killing the child kills the group. A Ctrl-C at
/// the terminal reaches only this process. On other systems only the child itself is killed.
#[derive(Debug, Clone, Default)]
pub struct Processes {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    // A child stays in the table until it is reaped, so the system cannot reuse its process id
    // meanwhile.
    children: BTreeMap<u64, Child>,
}

impl Processes {
    /// Starts a child in a process group of its own.
    ///
    /// # Errors
    ///
    /// The error of [`Command::spawn`].
    pub fn start(&self, command: &mut Command) -> io::Result<RunningProcess> {
        lead_process_group(command);
        // `kill_all_and_exit` takes the same lock: it either finds this child or keeps it from
        // starting.
        let mut table = self.lock();
        let mut child = command.spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let id = table.next;
        table.next += 1;
        table.children.insert(id, child);
        drop(table);
        Ok(RunningProcess { processes: self.clone(), id, stdout, stderr })
    }

    /// Kills every child and exits. No child can start in between.
    pub fn kill_all_and_exit(&self, code: i32) -> ! {
        let mut table = self.lock();
        for child in table.children.values_mut() {
            // The process exits next, so an error could not be reported.
            let _ = kill(child);
        }
        // The lock is not released: no thread may start a child, or report one as failed, from here on.
        process::exit(code)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // No panic leaves the table in an inconsistent state, so poisoning can be ignored.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A child that has not been reaped. Dropping it kills it.
#[derive(Debug)]
#[must_use = "dropping it kills the process"]
pub struct RunningProcess {
    processes: Processes,
    id: u64,
    /// The child's standard output, if it is piped.
    pub stdout: Option<ChildStdout>,
    /// The child's standard error, if it is piped.
    pub stderr: Option<ChildStderr>,
}

impl RunningProcess {
    /// Returns whether the child has exited. Does not block.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn has_exited(&self) -> io::Result<bool> {
        match self.processes.lock().children.get_mut(&self.id) {
            Some(child) => has_exited(child),
            None => Ok(true),
        }
    }

    /// Sends the child SIGINT, as a Ctrl-C at its terminal does. Returns `false` on systems without signals.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn interrupt(&self) -> io::Result<bool> {
        match self.processes.lock().children.get(&self.id) {
            Some(child) => interrupt(child),
            None => Ok(true),
        }
    }

    /// Waits until the child exits, then kills what is left of its group.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn wait(self) -> io::Result<ExitStatus> {
        while !self.has_exited()? {
            thread::sleep(Duration::from_millis(5));
        }
        self.kill()
    }

    /// Kills the child, if it still runs, and every process in its group.
    ///
    /// # Errors
    ///
    /// The error of the operating system, if it cannot return the exit status.
    pub fn kill(mut self) -> io::Result<ExitStatus> {
        self.kill_once()
    }

    fn kill_once(&mut self) -> io::Result<ExitStatus> {
        let mut table = self.processes.lock();
        let Some(child) = table.children.get_mut(&self.id) else {
            return Ok(ExitStatus::default());
        };
        let status = kill(child);
        table.children.remove(&self.id);
        status
    }
}

impl Drop for RunningProcess {
    fn drop(&mut self) {
        // A destructor cannot return an error.
        let _ = self.kill_once();
    }
}

#[cfg(unix)]
fn lead_process_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn lead_process_group(_: &mut Command) {}

#[cfg(unix)]
fn interrupt(child: &Child) -> io::Result<bool> {
    use rustix::process::{Pid, Signal, kill_process};
    // The child is not reaped, so the process id is still its own.
    kill_process(Pid::from_child(child), Signal::INT)?;
    Ok(true)
}

#[cfg(not(unix))]
fn interrupt(_: &Child) -> io::Result<bool> {
    Ok(false)
}

#[cfg(unix)]
fn has_exited(child: &mut Child) -> io::Result<bool> {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    // `NOWAIT` does not reap the child, so the id of its group stays valid until the group is killed.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(Pid::from_child(child)), options)?.is_some())
}

#[cfg(not(unix))]
fn has_exited(child: &mut Child) -> io::Result<bool> {
    Ok(child.try_wait()?.is_some())
}

#[cfg(unix)]
fn kill(child: &mut Child) -> io::Result<ExitStatus> {
    use rustix::process::{Pid, Signal, kill_process_group};
    // An error means that the group is empty already.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    child.wait()
}

#[cfg(not(unix))]
fn kill(child: &mut Child) -> io::Result<ExitStatus> {
    // An error means that the child has exited already.
    let _ = child.kill();
    child.wait()
}
