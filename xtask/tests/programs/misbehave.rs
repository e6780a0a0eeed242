//! A program that does what its first argument says: hang, crash, lie, and now and then behave.

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
    let deed = arguments.next().unwrap_or_default();
    let address = arguments.next();
    match deed.as_str() {
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
            // It holds our stderr open.
            let mut child = child(address.as_deref(), "hold")?;
            // Once the child has said so, somebody listens to it.
            child.stdout.take().map(|mut said| said.read_exact(&mut [0; 5])).transpose()?;
        }
        "order-by-schedule" | "stray" => match choice() {
            0 => println!("begin\nend"),
            _ if deed == "stray" => println!("begin\nend"),
            _ => println!("end\nbegin"),
        },
        "hold" => hold(address.as_deref(), "")?,
        other => panic!("no deed {other:?}"),
    }
    write_choices(&deed)
}

/// What the schedule says, at the one point where there are two options.
fn choice() -> u32 {
    let schedule = env::var("FORLOOP_SIM").unwrap_or_default();
    match schedule.split_once('=') {
        Some(("seed", seed)) => seed.parse().unwrap_or(0) % 2,
        Some((_, choices)) => choices.parse().unwrap_or(0),
        None => 0,
    }
}

/// Says what was chosen, as a simulated program does at its end.
fn write_choices(deed: &str) -> io::Result<()> {
    let text = match deed {
        "order-by-schedule" => format!("{}/2", choice()),
        // Whatever it was told.
        "stray" => "0/2".to_owned(),
        _ => String::new(),
    };
    env::var_os("FORLOOP_SIM_CHOICES").map_or(Ok(()), |path| fs::write(path, text))
}

fn runtime() -> String {
    env::var("FORLOOP_RUNTIME").unwrap_or_default()
}

/// Does not end by itself; whoever listens at the address sees the connection close when it is ended.
fn hold(address: Option<&str>, child_deed: &str) -> io::Result<()> {
    let connection = address.map(TcpStream::connect).transpose()?;
    println!("held");
    let _child = match child_deed {
        "" => None,
        deed => Some(child(address, deed)?),
    };
    if let Some(mut connection) = connection {
        // Nobody writes to it: it ends when the test has ended, even one that failed.
        connection.read_to_end(&mut Vec::new())?;
        return Ok(());
    }
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

/// Starts this program again.
fn child(address: Option<&str>, deed: &str) -> io::Result<process::Child> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(deed).args(address).stdout(Stdio::piped()).spawn()
}
