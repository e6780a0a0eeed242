//! A program that behaves or misbehaves as its first argument says.

use std::{
    env, fs,
    io::{self, Read, Write},
    net::TcpStream,
    process::{self, Command, Stdio},
    thread,
    time::Duration,
};

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let action = arguments.next().unwrap_or_default();
    let address = arguments.next();
    match action.as_str() {
        "behave" => println!("begin\nend"),
        "answer-by-runtime" => println!("begin\n{}\nend", runtime()),
        "order-by-runtime" => match runtime().len() % 2 {
            0 => println!("begin\n>a\n>b\nend"),
            _ => println!("begin\n>b\n>a\nend"),
        },
        "print-backtrace" => {
            println!("{}", env::var("RUST_BACKTRACE").unwrap_or_default());
        }
        "drop-the-newline" => print!("begin\nend"),
        "print-bytes" => io::stdout().write_all(b"begin\n\xff\xfe\nend\n")?,
        "print-forever" => loop {
            println!("again");
        },
        "fail" => {
            println!("begin");
            eprintln!("no more of this");
            process::exit(3);
        }
        "abort" => {
            println!("begin");
            process::abort();
        }
        "abort-on-tokio" if runtime().starts_with("tokio") => process::abort(),
        "abort-on-tokio" => println!("begin\nend"),
        "hang" => {
            println!("begin");
            hold(address.as_deref(), "hold")?;
        }
        "leave-a-child" => {
            println!("begin\nend");
            // The child holds this program's stderr open.
            let mut child = child(address.as_deref(), "hold")?;
            // The child prints once it has connected.
            child.stdout.take().map(|mut stdout| stdout.read_exact(&mut [0; 5])).transpose()?;
        }
        "order-by-schedule" | "stray" => match choice() {
            0 => println!("begin\nend"),
            _ if action == "stray" => println!("begin\nend"),
            _ => println!("end\nbegin"),
        },
        "hold" => hold(address.as_deref(), "")?,
        other => panic!("unknown action {other:?}"),
    }
    write_choices(&action)
}

/// Returns the schedule's choice at the only point, which has two options.
fn choice() -> u32 {
    let schedule = env::var("FORLOOP_SIM").unwrap_or_default();
    match schedule.split_once('=') {
        Some(("seed", seed)) => seed.parse().unwrap_or(0) % 2,
        Some((_, choices)) => choices.parse().unwrap_or(0),
        None => 0,
    }
}

/// Writes the choices, as a simulated program does before it exits.
fn write_choices(action: &str) -> io::Result<()> {
    let text = match action {
        "order-by-schedule" => format!("{}/2", choice()),
        // The same for every schedule.
        "stray" => "0/2".to_owned(),
        _ => String::new(),
    };
    env::var_os("FORLOOP_SIM_CHOICES").map_or(Ok(()), |path| fs::write(path, text))
}

fn runtime() -> String {
    env::var("FORLOOP_RUNTIME").unwrap_or_default()
}

/// Blocks until the process is killed. The listener at `address` then sees the connection close.
fn hold(address: Option<&str>, child_action: &str) -> io::Result<()> {
    let connection = address.map(TcpStream::connect).transpose()?;
    println!("held");
    let _child = match child_action {
        "" => None,
        action => Some(child(address, action)?),
    };
    if let Some(mut connection) = connection {
        // The test writes nothing. The connection closes when the test ends, even if it fails.
        connection.read_to_end(&mut Vec::new())?;
        return Ok(());
    }
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

/// Starts this program again.
fn child(address: Option<&str>, action: &str) -> io::Result<process::Child> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(action).args(address).stdout(Stdio::piped()).spawn()
}
