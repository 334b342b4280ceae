//! `cargo xtask sqlx`: the committed caches of `query!`, written from live databases.
//!
//! Ordinary builds check every statement against `server/store/<engine>/.sqlx`. Here the same macros ask a
//! real SQLite and a real PostgreSQL that hold this checkout's migrations, and write what they answer.

use anyhow::{Context, Result, bail};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{postgres::Postgres, process, setup, workspace::Workspace};

struct Engine<'a> {
    package: &'a str,
    /// The crate's folder.
    folder: PathBuf,
    /// What its `sqlx.toml` names as `database-url-var`.
    variable: &'a str,
    url: String,
}

pub(crate) fn run(workspace: &Workspace, check: bool) -> Result<()> {
    setup::packages(setup::DATABASES)?;
    let scratch = tempfile::Builder::new().prefix("mr-provisioner-sqlx-").tempdir()?;

    let sqlite_file = scratch.path().join("sqlite.db");
    migrate_sqlite(&sqlite_file, &migrations(&workspace.root, "sqlite")?).context("migrations/sqlite")?;
    let postgres = Postgres::start()?;
    postgres.execute(&migrations(&workspace.root, "postgres")?).context("migrations/postgres")?;

    let store = workspace.root.join("server/store");
    let engines = [
        Engine {
            package: "store-sqlite",
            folder: store.join("sqlite"),
            variable: "SQLITE_URL",
            url: format!("sqlite://{}", sqlite_file.display()),
        },
        Engine { package: "store-postgres", folder: store.join("postgres"), variable: "POSTGRES_URL", url: postgres.url() },
    ];
    let mut differing = Vec::new();
    for engine in &engines {
        let fresh = scratch.path().join(engine.package);
        fs::create_dir(&fresh)?;
        process::timed(engine.package, || describe(workspace, engine, &fresh))?;
        let (fresh, committed) = (read_cache(&fresh)?, read_cache(&engine.folder.join(".sqlx"))?);
        let changes = differences(&committed, &fresh);
        eprintln!("{:>13} {} statements, {} changed in the cache", engine.package, fresh.len(), changes.len());
        if check {
            differing.extend(changes.into_iter().map(|change| format!("{}: {change}", engine.package)));
        } else {
            write_cache(&engine.folder.join(".sqlx"), &committed, &fresh)?;
        }
    }
    if !differing.is_empty() {
        bail!("the committed caches are not what the databases say; run: cargo xtask sqlx\n  {}", differing.join("\n  "));
    }
    Ok(())
}

/// The up migrations of an engine in the order of their names.
fn migrations(root: &Path, engine: &str) -> Result<Vec<PathBuf>> {
    let folder = root.join("migrations").join(engine);
    let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<_> = entries.map(|entry| entry.map(|e| e.path())).collect::<std::io::Result<_>>()?;
    files.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.ends_with(".sql") && !name.ends_with(".down.sql")
    });
    files.sort();
    if files.is_empty() {
        bail!("no migrations in {}", folder.display());
    }
    Ok(files)
}

fn migrate_sqlite(database: &Path, files: &[PathBuf]) -> Result<()> {
    for file in files {
        process::output(Command::new("sqlite3").arg("-bail").arg(database).arg(format!(".read {}", file.display())))?;
    }
    Ok(())
}

/// Compiles the engine's crate against its live database; the macros write one file per statement into `cache`.
fn describe(workspace: &Workspace, engine: &Engine, cache: &Path) -> Result<()> {
    // cargo does not see that a database changed. A flag that no code reads and that was never given before
    // makes it compile this one crate again, and no other.
    let nonce = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let mut cargo = workspace.cargo();
    cargo
        .args(["rustc", "--quiet", "--locked", "--package", engine.package, "--lib", "--profile=check", "--"])
        .arg(format!("--cfg=sqlx_live=\"{nonce}\""));
    cargo.args(["--allow", "unexpected_cfgs"]);
    cargo.env("SQLX_OFFLINE", "false").env("SQLX_OFFLINE_DIR", cache).env(engine.variable, &engine.url);
    process::run(&mut cargo)
}

type Cache = BTreeMap<String, Vec<u8>>;

fn read_cache(folder: &Path) -> Result<Cache> {
    let mut cache = Cache::new();
    let Ok(entries) = fs::read_dir(folder) else { return Ok(cache) };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("query-") {
            cache.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(cache)
}

fn differences(committed: &Cache, fresh: &Cache) -> Vec<String> {
    let statement = |content: &[u8]| -> String {
        let value: serde_json::Value = serde_json::from_slice(content).unwrap_or_default();
        value["query"].as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let missing = fresh.iter().filter(|(name, _)| !committed.contains_key(*name)).map(|(_, c)| format!("missing: {}", statement(c)));
    let unused = committed.iter().filter(|(name, _)| !fresh.contains_key(*name)).map(|(_, c)| format!("unused: {}", statement(c)));
    let changed = fresh
        .iter()
        .filter(|(name, content)| committed.get(*name).is_some_and(|old| &old != content))
        .map(|(_, c)| format!("changed: {}", statement(c)));
    missing.chain(unused).chain(changed).collect()
}

fn write_cache(folder: &Path, committed: &Cache, fresh: &Cache) -> Result<()> {
    fs::create_dir_all(folder)?;
    for name in committed.keys().filter(|name| !fresh.contains_key(*name)) {
        fs::remove_file(folder.join(name))?;
    }
    // What is equal is left alone: cargo looks at times.
    for (name, content) in fresh.iter().filter(|(name, content)| committed.get(*name) != Some(content)) {
        fs::write(folder.join(name), content)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(entries: &[(&str, &str)]) -> Cache {
        entries.iter().map(|(name, sql)| ((*name).to_owned(), format!("{{\"query\":\"{sql}\"}}").into_bytes())).collect()
    }

    #[test]
    fn differences_name_the_statement() {
        let old = cache(&[("query-1", "select  1"), ("query-2", "select 2"), ("query-3", "select 3")]);
        let new = cache(&[("query-1", "select  1"), ("query-2", "select two"), ("query-4", "select 4")]);
        assert_eq!(differences(&old, &new), ["missing: select 4", "unused: select 3", "changed: select two"]);
        assert!(differences(&new, &new).is_empty());
    }

    #[test]
    fn writing_removes_what_no_statement_uses() {
        let folder = tempfile::tempdir().expect("temp folder");
        let (old, new) = (cache(&[("query-1", "select 1")]), cache(&[("query-2", "select 2")]));
        write_cache(folder.path(), &Cache::new(), &old).expect("written");
        write_cache(folder.path(), &old, &new).expect("written");
        assert_eq!(read_cache(folder.path()).expect("read"), new);
    }
}
