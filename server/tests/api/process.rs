//! The program itself: how it starts, what it prints, how it ends.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use server::{config::Config, serve::Server};

fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mr-provisioner"));
    command.env_clear().env("HOME", data).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running server; killed when the test is done with it.
pub struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// `127.0.0.1:…`
    address: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, |_| {})
    }

    pub fn start_with(data: &Path, more: impl FnOnce(&mut Command)) -> Self {
        let mut command = command(data);
        command.args(["serve", "--listen", "127.0.0.1:0", "--tftp-listen", "off", "--data-dir"]).arg(data).stderr(Stdio::null());
        more(&mut command);
        Self::of(command)
    }

    /// The demo lab, on a folder that is kept.
    fn demo(data: &Path, machines: usize) -> Self {
        let mut command = command(data);
        command
            .args(["demo", "--listen", "127.0.0.1:0", "--machines", &machines.to_string(), "--data-dir"])
            .arg(data)
            .stderr(Stdio::null());
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").unwrap_or_else(|| panic!("no address, but {line:?}")).to_owned();
        Self { child, stdout, address }
    }

    /// `127.0.0.1:…`
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The second line of a first start.
    pub fn password(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim().strip_prefix("admin password: ").unwrap_or_else(|| panic!("no password, but {line:?}")).to_owned()
    }

    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(15);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What was printed and not read yet, of a server that has ended.
    fn rest(&mut self) -> String {
        let mut text = String::new();
        self.stdout.read_to_string(&mut text).unwrap();
        text
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    /// Status, head and body.
    pub fn ask(&self, method: &str, path: &str, head: &str, body: &str) -> (u16, String, String) {
        let mut stream = self.connect();
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n{body}")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_owned(), body.to_owned())
    }

    /// Only the status; None when the server is gone before it is there.
    pub fn try_ask(&self, method: &str, path: &str, head: &str, body: &str) -> Option<u16> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\nContent-Length: {length}\r\n{head}\r\n{body}")
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.split(' ').nth(1)?.parse().ok()
    }

    /// The session's cookie as a header line, if the password is right.
    pub fn log_in(&self, username: &str, password: &str) -> Option<String> {
        let body = json!({ "username": username, "password": password }).to_string();
        let (status, head, _) = self.ask("POST", "/api/v1/session", "", &body);
        if status != 200 {
            return None;
        }
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        Some(format!("Cookie: {}\r\n", cookie.split(';').next().unwrap()))
    }
}

/// Runs a command to its end.
fn run(data: &Path, arguments: &[&str], input: &str) -> (bool, String, String) {
    let mut child = command(data).args(arguments).stdin(Stdio::piped()).spawn().unwrap();
    // a command that reads nothing may have closed it
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_first_start_prints_a_password_and_no_other_does() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Running::start(data.path());
    let password = server.password();
    assert_eq!(password.len(), 20);
    assert!(server.log_in("admin", &password).is_some());
    assert!(server.log_in("admin", "linaro").is_none(), "no default password");
    server.signal("-TERM");
    assert!(server.wait().success());
    assert_eq!(server.rest(), "");

    let mut server = Running::start(data.path());
    assert!(server.log_in("admin", &password).is_some());
    server.signal("-INT");
    assert!(server.wait().success());
    assert_eq!(server.rest(), "");
}

/// Its BMCs have other ports each time, some of them those that others had before.
#[test]
fn the_demo_starts_again_on_its_own_folder() {
    let data = tempfile::tempdir().unwrap();
    let mut first = Running::demo(data.path(), 100);
    let password = first.password();
    first.signal("-TERM");
    assert!(first.wait().success());
    for _ in 0..2 {
        let mut again = Running::demo(data.path(), 100);
        let cookie = again.log_in("admin", &password).unwrap();
        let (status, _, body) = again.ask("GET", "/api/v1/bmc", &cookie, "");
        assert_eq!((status, serde_json::from_str::<Value>(&body).unwrap().as_array().unwrap().len()), (200, 100));
        again.signal("-TERM");
        assert!(again.wait().success());
    }
}

#[test]
fn the_password_is_in_no_file_and_no_log() {
    let data = tempfile::tempdir().unwrap();
    let log = data.path().join("log");
    let file = std::fs::File::create(&log).unwrap();
    let mut server = Running::start_with(data.path(), |command| {
        command.args(["--log-level", "trace"]).stderr(file);
    });
    let password = server.password();
    let cookie = server.log_in("admin", &password).unwrap();
    let (status, _, body) = server.ask("POST", "/api/v1/self/token", &cookie, r#"{"description":"test"}"#);
    assert_eq!(status, 201);
    let secret = serde_json::from_str::<Value>(&body).unwrap()["secret"].as_str().unwrap().to_owned();
    server.ask("GET", &format!("/ws?token={secret}"), &format!("Authorization: {secret}\r\n"), "");
    server.signal("-TERM");
    assert!(server.wait().success());
    let session = cookie.trim().split('=').nth(1).unwrap().to_owned();
    let mut looked = 0;
    for entry in std::fs::read_dir(data.path()).unwrap().map(Result::unwrap).filter(|entry| entry.file_type().unwrap().is_file()) {
        let bytes = std::fs::read(entry.path()).unwrap();
        for (what, needle) in [("password", &password), ("token", &secret), ("session", &session)] {
            let found = bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
            assert!(!found, "the {what} stands in {}", entry.path().display());
        }
        looked += 1;
    }
    assert!(looked >= 3, "log, key and database");
}

#[test]
fn it_ends_gracefully_with_an_open_stream() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Running::start(data.path());
    let password = server.password();
    let cookie = server.log_in("admin", &password).unwrap();
    let mut stream = server.connect();
    write!(stream, "GET /api/v1/stream HTTP/1.1\r\nHost: lab\r\n{cookie}\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while !line.starts_with("data: {\"type\":\"snapshot\"") {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the stream ended early");
    }
    let told = Instant::now();
    server.signal("-TERM");
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    // the last chunk of HTTP/1.1: ended, not cut off
    assert!(rest.ends_with("0\r\n\r\n"), "{rest:?}");
    assert!(server.wait().success());
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
}

#[test]
fn a_client_that_keeps_the_server_waiting_is_given_up_one_that_is_slow_is_not() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Running::start_with(data.path(), |command| {
        command.env("MRP_HTTP_PATIENCE_SECONDS", "3");
    });
    let password = server.password();
    let session = server.log_in("admin", &password).unwrap();
    let connect = || {
        let stream = server.connect();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    };
    let rest = |mut stream: TcpStream| {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the server ends the connection");
        answer
    };
    let body = r#"{"name":"patience","subnet":"10.9.0.0/24"}"#;
    let head = format!(
        "POST /api/v1/network HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n{session}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );

    let mut half_a_head = connect();
    half_a_head.write_all(b"GET /healthz HTTP/1.1\r\nHost: ").unwrap();
    assert_eq!(rest(half_a_head), "");

    let mut half_a_body = connect();
    half_a_body.write_all(head.as_bytes()).unwrap();
    half_a_body.write_all(&body.as_bytes()[..10]).unwrap();
    let answer = rest(half_a_body);
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");

    let mut slow = connect();
    slow.write_all(head.as_bytes()).unwrap();
    for piece in body.as_bytes().chunks(2) {
        slow.write_all(piece).unwrap();
        std::thread::sleep(Duration::from_millis(200));
    }
    let answer = rest(slow);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

#[test]
fn after_a_kill_everything_is_as_before() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Running::start(data.path());
    let password = server.password();
    let cookie = server.log_in("admin", &password).unwrap();
    for name in ["ann", "bob"] {
        let (status, ..) = server.ask("POST", "/api/v1/user", &cookie, &json!({ "username": name }).to_string());
        assert_eq!(status, 201);
    }
    server.signal("-KILL");
    server.wait();
    let server = Running::start(data.path());
    let (status, _, body) = server.ask("GET", "/api/v1/user", &cookie, "");
    assert_eq!(status, 200);
    let users: Vec<Value> = serde_json::from_str(&body).unwrap();
    assert_eq!(users.iter().map(|user| user["username"].as_str().unwrap()).collect::<Vec<_>>(), ["admin", "ann", "bob"]);
}

#[test]
fn it_tells_the_service_manager() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut server = Running::start_with(data.path(), |command| {
        command.env("NOTIFY_SOCKET", &path);
    });
    let mut buffer = [0; 64];
    let mut told = || {
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    };
    assert_eq!(told(), "READY=1");
    assert_eq!(server.ask("GET", "/readyz", "", "").0, 200);
    server.signal("-TERM");
    assert_eq!(told(), "STOPPING=1");
    assert!(server.wait().success());
}

#[test]
fn a_wrong_setting_is_named_and_nothing_starts() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("config.toml");
    std::fs::write(&file, "[tftp]\nlisen = \"off\"\n").unwrap();
    let (ok, out, err) = run(data.path(), &["serve", "--config", file.to_str().unwrap()], "");
    assert!(!ok && out.is_empty());
    assert!(err.contains("lisen") && err.contains("config.toml"), "{err}");
    let (ok, _, err) = run(data.path(), &["serve", "--listen", "here"], "");
    assert!(!ok && err.contains("--listen"), "{err}");
    let (ok, _, err) = run(data.path(), &["serve", "--listen", "127.0.0.1:0", "--log-level", "a=b=c"], "");
    assert!(!ok && err.contains("log.level"), "{err}");
    let (ok, _, err) = run(data.path(), &["migrate", "--database-url", "mysql://lab"], "");
    assert!(!ok && err.contains("database URL"), "{err}");
}

#[test]
fn an_address_in_use_is_named() {
    let data = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (ok, _, err) = run(data.path(), &["serve", "--listen", &address, "--tftp-listen", "off"], "");
    assert!(!ok && err.contains(&address), "{err}");
}

#[test]
fn the_command_line_makes_admins_and_resets_passwords() {
    let data = tempfile::tempdir().unwrap();
    let dir = data.path().to_str().unwrap();
    let (ok, out, err) = run(data.path(), &["admin", "create", "root", "--data-dir", dir], "");
    assert!(ok, "{err}");
    let first = out.trim().strip_prefix("root password: ").unwrap().to_owned();
    let (ok, _, err) = run(data.path(), &["admin", "create", "root", "--data-dir", dir], "");
    assert!(!ok && err.contains("there is a user root already"), "{err}");

    // there is an admin: none is made
    let mut server = Running::start(data.path());
    let cookie = server.log_in("root", &first).unwrap();
    let (ok, _, err) = run(data.path(), &["admin", "password", "root", "--password-stdin", "--data-dir", dir], "correct horse\n");
    assert!(ok, "{err}");
    assert_eq!(server.ask("GET", "/api/v1/self", &cookie, "").0, 401, "the sessions have ended");
    assert!(server.log_in("root", &first).is_none());
    assert!(server.log_in("root", "correct horse").is_some());
    let (ok, _, err) = run(data.path(), &["admin", "password", "nobody", "--data-dir", dir], "");
    assert!(!ok && err.contains("there is no user nobody"), "{err}");
    let (ok, _, err) = run(data.path(), &["admin", "password", "root", "--password-stdin", "--data-dir", dir], "short\n");
    assert!(!ok && err.contains("between 8 and 128"), "{err}");
    server.signal("-TERM");
    assert!(server.wait().success());
    assert_eq!(server.rest(), "");
}

#[test]
fn migrate_says_what_it_does() {
    let data = tempfile::tempdir().unwrap();
    let dir = data.path().to_str().unwrap();
    let (ok, planned, err) = run(data.path(), &["migrate", "--dry-run", "--data-dir", dir], "");
    assert!(ok && planned.contains("0001 initial"), "{planned}{err}");
    let (ok, done, _) = run(data.path(), &["migrate", "--data-dir", dir], "");
    assert!(ok);
    assert_eq!(planned, done);
    let (_, again, _) = run(data.path(), &["migrate", "--data-dir", dir], "");
    assert_eq!(again, "the schema is up to date\n");
}

async fn server(data: &Path) -> Server {
    let flags = vec![("data_dir", data.display().to_string()), ("listen", "127.0.0.1:0".into()), ("tftp_listen", "off".into())];
    Server::start(Config::load(None, [], flags).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_job_that_panics_fails_or_ends_by_itself_ends_the_server() {
    let data = tempfile::tempdir().unwrap();
    let mut panicking = server(data.path()).await;
    panicking.spawn("clumsy", async { panic!("on purpose") });
    assert!(format!("{:#}", panicking.run().await.unwrap_err()).contains("panicked"));
    let mut failing = server(data.path()).await;
    failing.spawn("clumsy", async { anyhow::bail!("on purpose") });
    assert_eq!(format!("{:#}", failing.run().await.unwrap_err()), "the job clumsy failed: on purpose");
    let mut ending = server(data.path()).await;
    ending.spawn("clumsy", async { Ok(()) });
    assert_eq!(ending.run().await.unwrap_err().to_string(), "the job clumsy ended by itself");
}
