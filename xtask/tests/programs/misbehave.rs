//! A program that does what its first argument says: hang, crash, lie, and now and then behave.

use std::{
    env,
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
        "hold" => hold(address.as_deref(), "")?,
        other => panic!("no deed {other:?}"),
    }
    Ok(())
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
