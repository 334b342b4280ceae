//! A throw-away PostgreSQL: a new cluster in a temporary folder, gone with the value.

use anyhow::{Context, Result, bail};
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

use crate::{process, setup, workspace::newest_version_folder};

/// How long the server may take to accept connections.
const START: Duration = Duration::from_secs(60);

pub(crate) struct Postgres {
    server: Child,
    port: u16,
    programs: PathBuf,
    // dropped last: the server's data
    _folder: TempDir,
}

impl Postgres {
    /// Creates a cluster and starts it on a free port of 127.0.0.1. As root it runs as the user `postgres`,
    /// since PostgreSQL refuses root. What it is told is not on disk when it says so.
    pub(crate) fn start() -> Result<Self> {
        Self::start_with(&["-c", "fsync=off"])
    }

    /// The same as it is by default: a commit is on disk when it is answered.
    pub(crate) fn start_durable() -> Result<Self> {
        Self::start_with(&[])
    }

    fn start_with(settings: &[&str]) -> Result<Self> {
        let version =
            newest_version_folder(Path::new("/usr/lib/postgresql"), "bin/initdb").context("no PostgreSQL under /usr/lib/postgresql")?;
        let programs = version.join("bin");
        let folder = tempfile::Builder::new().prefix("mr-provisioner-postgres-").tempdir()?;
        let user = if setup::is_root() { Some(user_ids("postgres")?) } else { None };
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid))?;
        }
        let data = folder.path().join("data");
        process::output(
            as_user(user, &programs.join("initdb"))
                .current_dir(folder.path())
                .args(["--auth=trust", "--username=mrp", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--pgdata"])
                .arg(&data),
        )?;
        let port = free_port()?;
        let log = folder.path().join("log");
        let server = as_user(user, &programs.join("postgres"))
            .current_dir(folder.path())
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args(settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .spawn()
            .context("cannot start postgres")?;
        let mut postgres = Self { server, port, programs, _folder: folder };
        postgres.wait_until_ready(&log)?;
        Ok(postgres)
    }

    /// The address of the only database, for sqlx and for psql.
    pub(crate) fn url(&self) -> String {
        format!("postgres://mrp@127.0.0.1:{}/postgres", self.port)
    }

    /// Runs SQL files, each in one transaction, up to the first error.
    pub(crate) fn execute(&self, files: &[PathBuf]) -> Result<()> {
        for file in files {
            let mut psql = Command::new(self.programs.join("psql"));
            psql.args(["--no-psqlrc", "--quiet", "--single-transaction", "-v", "ON_ERROR_STOP=1", "-f"]).arg(file).arg(self.url());
            process::output(&mut psql)?;
        }
        Ok(())
    }

    fn wait_until_ready(&mut self, log: &Path) -> Result<()> {
        let start = Instant::now();
        let said = || fs::read_to_string(log).unwrap_or_default();
        loop {
            let mut ready = Command::new(self.programs.join("pg_isready"));
            if process::succeeds(ready.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])) {
                return Ok(());
            }
            if let Some(status) = self.server.try_wait()? {
                bail!("postgres ended with {status}:\n{}", said());
            }
            if start.elapsed() > START {
                bail!("postgres does not answer after {} s:\n{}", START.as_secs(), said());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Nothing in it is worth a checkpoint. Its own children notice and end.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A command as that user (none: as we are), which ends with us even when we are killed.
fn as_user(user: Option<(u32, u32)>, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=KILL");
    if let Some((uid, gid)) = user {
        command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups");
    }
    command.arg("--").arg(program).env_remove("PGDATA").env_remove("PGPORT").env_remove("PGHOST");
    command
}

fn user_ids(name: &str) -> Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd")?;
    let line =
        users.lines().find(|line| line.split(':').next() == Some(name)).with_context(|| format!("no user {name} on this machine"))?;
    let mut fields = line.split(':').skip(2).map(str::parse);
    match (fields.next(), fields.next()) {
        (Some(Ok(uid)), Some(Ok(gid))) => Ok((uid, gid)),
        _ => bail!("cannot read the ids of user {name}: {line}"),
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_executes_and_goes_away() {
        if newest_version_folder(Path::new("/usr/lib/postgresql"), "bin/initdb").is_none() {
            panic!("this test needs PostgreSQL: cargo xtask test installs it");
        }
        let postgres = Postgres::start().expect("starts");
        let folder = postgres._folder.path().to_owned();
        let script = tempfile::NamedTempFile::new().expect("file");
        fs::write(&script, "create table t (id bigint); insert into t values (1), (no_such_thing);").expect("written");
        let error = postgres.execute(&[script.path().to_owned()]).expect_err("the statement is wrong");
        assert!(error.to_string().contains("no_such_thing"), "{error}");
        let port = postgres.port;
        drop(postgres);
        assert!(!folder.exists());
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    }
}
