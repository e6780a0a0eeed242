//! A connection with TLS, and one to a server that is not trusted.

use std::process::Command;

use crate::processes::Process;
use crate::server::Server;

#[test]
fn a_run_over_tls_has_the_answer_of_the_local_loop_if_the_server_is_trusted() {
    let folder = std::env::temp_dir().join(format!("forloop-redis-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]);
    openssl.args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"]).arg(&key);
    if openssl.arg("-out").arg(&certificate).output().is_err() {
        eprintln!("not tested: there is no `openssl` to make a certificate");
        return;
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let port = port.to_string();
    let [key, certificate_text] = [&key, &certificate].map(|path| path.to_str().unwrap());
    let options = ["--tls-port", &port, "--tls-auth-clients", "no", "--tls-key-file", key];
    let options = [
        &options[..],
        &["--tls-cert-file", certificate_text, "--tls-ca-cert-file", certificate_text],
    ];
    let Some(server) = Server::start_with(&options.concat()) else { return };
    // Without TLS, on its other port.
    let _worker = Process::worker(&server, 0);
    let url = format!("rediss://127.0.0.1:{port}");
    let (has_succeeded, printed) = Process::producer_with_tls(&url, &certificate).output();
    assert!(has_succeeded && printed.contains("settled: "), "{printed}");

    let other = folder.join("empty.pem");
    std::fs::write(&other, "").unwrap();
    let (has_succeeded, _) = Process::producer_with_tls(&url, &other).output();
    assert!(!has_succeeded, "the server is not trusted");
    std::fs::remove_dir_all(folder).unwrap();
}
