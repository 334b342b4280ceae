//! A server for one test, and those who talk to it.

use std::net::SocketAddr;

use app::api::{ApiError, CreatedToken, CreatedUser, Credentials, Me};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header},
};
use serde::{Serialize, de::DeserializeOwned};
use server::{
    config::Config,
    http,
    lab::{Lab, accounts},
};
use store::testing::{self, TestStore};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub const BOTH: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

/// A server with a database and a folder of its own, and the user `admin`. Nothing listens unless [`TestApp::listen`] is called.
pub struct TestApp {
    pub lab: Lab,
    pub router: Router,
    pub admin_password: String,
    data: TempDir,
    store: TestStore,
}

impl TestApp {
    pub async fn start(engine: Engine) -> Self {
        Self::start_with(engine, |_| {}).await
    }

    /// With other settings than the defaults.
    pub async fn start_with(engine: Engine, settings: impl FnOnce(&mut Config)) -> Self {
        let store = match engine {
            Engine::Sqlite => testing::sqlite().await,
            Engine::Postgres => testing::postgres().await,
        };
        let data = tempfile::tempdir().unwrap();
        let lab = open(&data, &store.url, settings).await;
        let admin_password = accounts::first_admin(&lab).await.unwrap().expect("an empty database has no users");
        let router = http::router(&lab).unwrap();
        Self { lab, router, admin_password, data, store }
    }

    /// A server on each engine.
    pub async fn each() -> [Self; 2] {
        [Self::start(Engine::Sqlite).await, Self::start(Engine::Postgres).await]
    }

    /// Runs a statement as somebody could who has the database itself.
    pub async fn sql(&self, statement: &str) -> Result<(), store::StoreError> {
        self.store.sql(statement).await
    }

    /// Another server process on the same data: nothing in memory is taken over.
    pub async fn restarted(self) -> Self {
        let lab = open(&self.data, &self.store.url, |_| {}).await;
        assert!(accounts::first_admin(&lab).await.unwrap().is_none(), "the admin was there already");
        let router = http::router(&lab).unwrap();
        Self { lab, router, ..self }
    }

    pub fn anonymous(&self) -> Client {
        Client { router: self.router.clone(), auth: Auth::None }
    }

    /// The first admin, with a session.
    pub async fn admin(&self) -> Client {
        self.log_in("admin", &self.admin_password).await
    }

    /// A new user without rights, with a session.
    pub async fn user(&self, name: &str) -> Client {
        let password = self.make_user(name, false).await;
        self.log_in(name, &password).await
    }

    /// Makes a user and answers the password.
    pub async fn make_user(&self, name: &str, admin: bool) -> String {
        let new = serde_json::json!({ "username": name, "admin": admin });
        self.admin().await.post("/user", &new).await.created::<CreatedUser>().password
    }

    /// Wrong passwords for these users, all at the same time, so that the machine's speed does not matter to a limit of them.
    /// Answers the statuses in the order of the users.
    pub async fn guess_at_once(&self, guesses: impl IntoIterator<Item = (String, Option<&'static str>)>) -> Vec<u16> {
        let attempts = guesses.into_iter().map(|(username, forwarded_for)| {
            let client = self.anonymous();
            let body = serde_json::json!({ "username": username, "password": "guess" }).to_string();
            tokio::spawn(async move {
                let headers = forwarded_for.map(|address| ("x-forwarded-for", address));
                client.send(Method::POST, "/session", headers.as_slice(), body).await.status.as_u16()
            })
        });
        let mut statuses = Vec::new();
        for attempt in attempts.collect::<Vec<_>>() {
            statuses.push(attempt.await.unwrap());
        }
        statuses
    }

    pub async fn log_in(&self, username: &str, password: &str) -> Client {
        let credentials = Credentials { username: username.into(), password: password.into() };
        let answer = self.anonymous().post("/session", &credentials).await;
        assert_eq!(answer.ok::<Me>().username, username);
        Client { router: self.router.clone(), auth: Auth::Cookie(answer.session_cookie()) }
    }

    /// Answers over TCP for as long as the test's runtime lives.
    pub async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = self.router.clone().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        address
    }
}

async fn open(data: &TempDir, database: &str, settings: impl FnOnce(&mut Config)) -> Lab {
    let flags = vec![("data_dir", data.path().display().to_string()), ("database_url", database.into()), ("tftp_listen", "off".into())];
    let mut config = Config::load(None, [], flags).unwrap();
    config.renderer = env!("CARGO_BIN_EXE_mr-provisioner").into();
    settings(&mut config);
    Lab::open(config, CancellationToken::new()).await.unwrap()
}

#[derive(Clone, Debug)]
pub enum Auth {
    None,
    /// `name=value`
    Cookie(String),
    /// The whole value of `Authorization`.
    Token(String),
}

/// Somebody who asks. Paths are relative to `/api/v1` unless they begin with `//`, which stands for the root.
#[derive(Clone)]
pub struct Client {
    pub router: Router,
    pub auth: Auth,
}

impl Client {
    /// The same user, by a new API token.
    pub async fn token(&self) -> Self {
        let token: CreatedToken = self.post("/self/token", &serde_json::json!({ "description": "test" })).await.created();
        self.with(Auth::Token(format!("Bearer {}", token.secret)))
    }

    pub fn with(&self, auth: Auth) -> Self {
        Self { router: self.router.clone(), auth }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Body::empty()).await
    }

    pub async fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        self.json(Method::POST, path, body).await
    }

    pub async fn put(&self, path: &str, body: &impl Serialize) -> Answer {
        self.json(Method::PUT, path, body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], Body::empty()).await
    }

    pub async fn json(&self, method: Method, path: &str, body: &impl Serialize) -> Answer {
        self.send(method, path, &[], Body::from(serde_json::to_vec(body).unwrap())).await
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&'static str, &str)], body: impl Into<Body>) -> Answer {
        let response = self.response(method, path, headers, body).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// The same over TCP, on a connection of its own: status and body. The client must have a token.
    pub async fn over_tcp(&self, address: SocketAddr, method: Method, path: &str, body: &impl Serialize) -> (u16, Vec<u8>) {
        let Auth::Token(token) = &self.auth else { panic!("needs a token") };
        let body = serde_json::to_string(body).unwrap();
        let head = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\nAuthorization: {token}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all((head + &body).as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head") + 4;
        let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
        (status, answer.split_off(end))
    }

    /// The answer as it comes, for bodies that do not end.
    pub async fn response(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: impl Into<Body>,
    ) -> axum::http::Response<Body> {
        let path = path.strip_prefix('/').filter(|rest| rest.starts_with('/')).map_or_else(|| format!("/api/v1{path}"), str::to_owned);
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "lab.test").body(body.into()).unwrap();
        let all = request.headers_mut();
        match &self.auth {
            Auth::None => {}
            Auth::Cookie(cookie) => drop(all.insert(header::COOKIE, cookie.parse().unwrap())),
            Auth::Token(token) => drop(all.insert(header::AUTHORIZATION, token.parse().unwrap())),
        }
        for (name, value) in headers {
            all.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        self.router.clone().oneshot(request).await.unwrap()
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of an answer that must be 200.
    #[track_caller]
    pub fn ok<T: DeserializeOwned>(&self) -> T {
        self.body_of(StatusCode::OK)
    }

    /// The body of an answer that must be 201.
    #[track_caller]
    pub fn created<T: DeserializeOwned>(&self) -> T {
        self.body_of(StatusCode::CREATED)
    }

    #[track_caller]
    pub fn body_of<T: DeserializeOwned>(&self, status: StatusCode) -> T {
        assert_eq!(self.status, status, "{}", self.text());
        serde_json::from_slice(&self.body).unwrap()
    }

    /// An answer that must be 204 and have no body.
    #[track_caller]
    pub fn no_content(&self) {
        assert_eq!(self.status, StatusCode::NO_CONTENT, "{}", self.text());
        assert!(self.body.is_empty());
    }

    /// The one shape of every error, with this status. Every one is checked to be complete.
    #[track_caller]
    pub fn error(&self, status: u16) -> ApiError {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/json");
        let error: ApiError = serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()));
        assert_eq!(error.status, status);
        assert!(!error.error_type.is_empty() && !error.errors.is_empty() && !error.title.is_empty() && !error.detail.is_empty());
        assert!(error.errors.iter().all(|sentence| !sentence.is_empty()));
        error
    }

    /// `name=value` of the cookie that was set.
    #[track_caller]
    pub fn session_cookie(&self) -> String {
        let cookie = self.header("set-cookie");
        assert!(cookie.contains("session="), "no session's cookie: {cookie:?}");
        cookie.split(';').next().unwrap().to_owned()
    }
}
