//! The behaviour of the program `crawl`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

fn crawl(arguments: &[&str], list: &str) -> Output {
    start(arguments, list).wait_with_output().unwrap()
}

fn start(arguments: &[&str], list: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crawl"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that refuses its arguments does not read its input.
    let _ = child.stdin.take().unwrap().write_all(list.as_bytes());
    child
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_thousand_pages_end_as_they_must_and_leave_nothing_behind() {
    let output = crawl(&["--soak", "1000", "--timeout", "3"], "");
    let (progress, summary) = (text(&output.stderr), text(&output.stdout));
    assert!(output.status.success(), "{progress}\n{summary}");
    assert!(summary.contains("pages                1000\n"), "{summary}");
}

#[test]
fn failures_are_reported_with_their_index_and_do_not_stop_the_others() {
    let list =
        "# a list\n\nhttp://127.0.0.1:1/\nnonsense\n  https://127.0.0.1/ \nhttp://127.0.0.1:1/b\n";
    let output = crawl(&["-", "--retries", "0"], list);
    assert!(output.status.success());
    let progress: Vec<_> = text(&output.stderr).lines().collect();
    let begins = [
        "0: http://127.0.0.1:1/: no connection: ",
        "1: nonsense: not a URL",
        "2: https://127.0.0.1/: `https` is not supported",
        "3: http://127.0.0.1:1/b: no connection: ",
    ];
    assert_eq!(progress.len(), begins.len(), "{progress:?}");
    assert!(
        progress.iter().zip(begins).all(|(line, begin)| line.starts_with(begin)),
        "{progress:?}"
    );
    let summary = text(&output.stdout);
    assert!(
        summary.contains("  no URL                2\n  no connection         2\n"),
        "{summary}"
    );
}

#[test]
fn a_body_that_panics_ends_its_page_only() {
    let output = crawl(&["--count", "100", "--mix", "", "--panic"], "");
    assert!(output.status.success());
    let summary = text(&output.stdout);
    assert!(
        summary.contains("  fetched              99\n  panicked              1\n"),
        "{summary}"
    );
}

#[test]
fn bad_arguments_are_refused_before_anything_is_fetched() {
    for (bad, why) in [
        (&["--mix", "resett=5"][..], "the kinds are missing, error, flaky"),
        (&["--mix", "reset=99,slow=2"], "101 percent"),
        (&["--timeout", "0"], "above zero"),
        (&["list.txt", "--soak", "10"], "cannot be used with its own site"),
        (&["--limit", "none"], "none"),
    ] {
        let output = crawl(bad, "");
        assert_eq!(output.status.code(), Some(2), "{bad:?}");
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
        assert!(output.stdout.is_empty());
    }
    // The loop and the operating system refuse these.
    for bad in [["--limit", "0"], ["--timeout=1", "no such list"]] {
        let output = crawl(&bad, "");
        assert_eq!(output.status.code(), Some(1), "{bad:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

/// Responds to each request as its path says, and closes the connection.
fn answer(mut socket: TcpStream) {
    let mut request = BufReader::new(socket.try_clone().unwrap()).lines();
    let path = request.next().unwrap().unwrap().split(' ').nth(1).unwrap().to_owned();
    while request.next().is_some_and(|line| !line.unwrap().is_empty()) {}
    let answer = match &path[..] {
        "/until-it-is-closed" => "HTTP/1.1 200 OK\r\n\r\nten bytes.",
        "/chunks" => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "/cut-chunks" => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab",
        "/bad-chunks" => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nten\r\nabc",
        "/half-a-head" => "HTTP/1.1 200 O",
        "/nothing" => "",
        "/moved" => "HTTP/1.1 301 Moved Permanently\r\nlocation: /\r\ncontent-length: 0\r\n\r\n",
        "/ssh" => "SSH-2.0-OpenSSH\r\n",
        other => panic!("{other}"),
    };
    socket.write_all(answer.as_bytes()).unwrap();
}

#[test]
fn every_kind_of_response_is_classified() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // The thread ends with the test.
    thread::spawn(move || listener.incoming().for_each(|socket| answer(socket.unwrap())));
    let pages = [
        ("until-it-is-closed", ""),
        ("chunks", ""),
        ("cut-chunks", "the page ends too early"),
        ("bad-chunks", "no HTTP: "),
        ("half-a-head", "the connection broke"),
        ("nothing", "the connection broke"),
        ("moved", "status 301"),
        ("ssh", "no HTTP: "),
    ];
    let list: String = pages.map(|(page, _)| format!("http://{address}/{page}\n")).concat();
    let output = crawl(&["-", "--retries", "0", "--timeout", "30"], &list);
    let progress = text(&output.stderr);
    for (index, (page, why)) in pages.iter().enumerate().filter(|(_, (_, why))| !why.is_empty()) {
        let line = format!("{index}: http://{address}/{page}: {why}");
        assert!(progress.lines().any(|printed| printed.starts_with(&line)), "{line}\n{progress}");
    }
    let summary = text(&output.stdout);
    assert!(summary.contains("  fetched               2\n"), "{summary}");
    assert!(summary.contains("\nbytes                  13\n"), "{summary}");
}

#[cfg(unix)]
#[test]
fn the_first_interrupt_starts_no_more_pages_and_the_second_stops_the_running_ones() {
    use rustix::process::{Pid, Signal, kill_process};

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let list = format!("http://{}/\n", listener.local_addr().unwrap()).repeat(10);
    let mut child = start(&["-", "--limit", "2", "--timeout", "600"], &list);
    // The listener never responds, so these two are the running pages.
    let mut running = [(); 2].map(|()| listener.accept().unwrap().0);
    let interrupt = |child: &Child| kill_process(Pid::from_child(child), Signal::INT).unwrap();
    interrupt(&child);
    let mut line = String::new();
    let mut printed = BufReader::new(child.stderr.take().unwrap());
    printed.read_line(&mut line).unwrap();
    assert_eq!(line, "crawl: finishing what runs; Ctrl-C once more stops it\n");
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let summary = text(&output.stdout);
    assert!(
        summary.contains("  cancelled             2\n  not run               8\n"),
        "{summary}"
    );
    for socket in &mut running {
        // Any request is read, and the connection is closed after it.
        let _ = socket.read_to_end(&mut Vec::new());
    }
}
