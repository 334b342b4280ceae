//! Users' templates are rendered in a process of their own. The template engine bounds steps, not memory: forty
//! doublings of a string are a hundred steps and a terabyte. The child has a limit on its address space and its
//! processor time, an empty environment, and is killed when it takes too long.

use std::{
    io::{self, Read, Write},
    path::Path,
    process::Stdio,
    time::Duration,
};

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::timeout,
};

use super::preseed::{PreseedError, Rendered, Variables, check, render};

/// The server's own subcommand that is the child.
pub const SUBCOMMAND: &str = "render-preseed";

/// Bytes a rendering may use beyond what the program itself has mapped.
const MEMORY: u64 = 192 * 1024 * 1024;
/// Seconds of processor time.
const CPU_SECONDS: u64 = 5;
/// After this the child is killed.
const WALL: Duration = Duration::from_secs(10);
/// Most bytes read of the child: a rendered preseed's limit, with room for JSON's escapes.
const ANSWER_LIMIT: u64 = 32 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Job {
    template: String,
    /// None: it is only read.
    variables: Option<Variables>,
}

/// Renders a template in a child process of `program`.
///
/// # Errors
/// As [`render`], and when the template needs too much memory or time.
pub async fn render_apart(program: &Path, template: String, variables: Variables) -> Result<Rendered, PreseedError> {
    apart(program, Job { template, variables: Some(variables) }).await
}

/// Reads a template in a child process of `program`, without rendering it.
///
/// # Errors
/// As [`check`], and when the template needs too much memory or time.
pub async fn check_apart(program: &Path, template: String) -> Result<(), PreseedError> {
    apart(program, Job { template, variables: None }).await.map(drop)
}

async fn apart(program: &Path, job: Job) -> Result<Rendered, PreseedError> {
    let failed = |message: String| PreseedError::Rendering { message, line: 0 };
    let job = serde_json::to_vec(&job).map_err(|error| failed(error.to_string()))?;
    let mut child = Command::new(program)
        .arg(SUBCOMMAND)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("the renderer could not be started: {error}")))?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(failed("the renderer has no pipes".into()));
    };
    let run = async {
        // a child that died does not read: what it says, or does not say, tells more than the broken pipe
        let _ = stdin.write_all(&job).await;
        drop(stdin);
        let mut answer = Vec::new();
        stdout.take(ANSWER_LIMIT).read_to_end(&mut answer).await?;
        let status = child.wait().await?;
        io::Result::Ok((answer, status))
    };
    match timeout(WALL, run).await {
        Err(_) => Err(failed("the template runs too long".into())),
        Ok(Err(error)) => Err(failed(format!("the renderer failed: {error}"))),
        Ok(Ok((answer, status))) if status.success() => {
            serde_json::from_slice(&answer).unwrap_or_else(|error| Err(failed(format!("the renderer's answer: {error}"))))
        }
        Ok(Ok(_)) => Err(failed("the template needs too much memory or time".into())),
    }
}

/// The child: a job on standard input, a `Result<Rendered, PreseedError>` on standard output, both JSON.
///
/// # Errors
/// When the limits cannot be set or the pipes fail.
pub fn child() -> io::Result<()> {
    let mapped_pages: u64 = std::fs::read_to_string("/proc/self/statm")?
        .split(' ')
        .next()
        .and_then(|pages| pages.parse().ok())
        .ok_or_else(|| io::Error::other("/proc/self/statm"))?;
    let space = mapped_pages * rustix::param::page_size() as u64 + MEMORY;
    setrlimit(Resource::As, Rlimit { current: Some(space), maximum: Some(space) })?;
    setrlimit(Resource::Cpu, Rlimit { current: Some(CPU_SECONDS), maximum: Some(CPU_SECONDS) })?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    let mut job = Vec::new();
    io::stdin().read_to_end(&mut job)?;
    let job: Job = serde_json::from_slice(&job)?;
    let result = match &job.variables {
        Some(variables) => render(&job.template, variables),
        None => check(&job.template).map(|()| Rendered { text: String::new(), undefined: Vec::new() }),
    };
    io::stdout().write_all(&serde_json::to_vec(&result)?)
}
