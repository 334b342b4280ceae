//! Throw-away databases for tests: a file of SQLite, and a PostgreSQL cluster that this process starts once and that ends with it.
//!
//! Everything here panics with a reason when it cannot do its work: a test without its database has failed, it is not skipped.

use std::io::{BufRead, BufReader, Read as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::conn::Engine;
use crate::{Store, StoreError};

/// A database of its own.
pub struct TestStore {
    /// `sqlite` or `postgres`.
    pub name: &'static str,
    /// To open it once more, as another server would.
    pub url: String,
    pub store: Store,
    /// SQLite's file lives as long as this. PostgreSQL's databases go with their cluster.
    _folder: Option<TempDir>,
}

impl TestStore {
    /// Runs a statement as somebody could who has the database itself, past all rules but the schema's.
    pub async fn sql(&self, statement: &str) -> Result<(), StoreError> {
        let statement = || AssertSqlSafe(statement.to_owned());
        let mut tx = self.store.begin().await?;
        match tx.engine() {
            Engine::Sqlite(c) => sqlx::raw_sql(statement()).execute(c).await.map(drop)?,
            Engine::Postgres(c) => sqlx::raw_sql(statement()).execute(c).await.map(drop)?,
        }
        tx.commit().await
    }
}

/// What SQLite says of a file's integrity: `ok`.
pub async fn integrity(file: &Path) -> String {
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.expect("the file opens");
    sqlx::query_scalar("pragma integrity_check").fetch_one(&mut conn).await.expect("a verdict")
}

/// A migrated, empty database on each engine.
pub async fn engines() -> Vec<TestStore> {
    vec![sqlite().await, postgres().await]
}

/// A migrated, empty SQLite database.
pub async fn sqlite() -> TestStore {
    let test = sqlite_unmigrated().await;
    test.store.migrate().await.expect("the schema applies");
    test
}

/// A SQLite database with nothing in it, not even a schema.
pub async fn sqlite_unmigrated() -> TestStore {
    let folder = tempfile::Builder::new().prefix("mr-provisioner-store-").tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}/lab.db", folder.path().display());
    let store = Store::open(&url).await.expect("a new database opens");
    TestStore { name: "sqlite", url, store, _folder: Some(folder) }
}

/// A migrated, empty PostgreSQL database.
pub async fn postgres() -> TestStore {
    // Copying a migrated database is quicker than migrating an empty one.
    static TEMPLATE: OnceCell<()> = OnceCell::const_new();
    let make = async || {
        let url = cluster().await.create_database("migrated", "template0").await;
        let store = Store::open(&url).await.expect("a new database opens");
        store.migrate().await.expect("the schema applies");
        store.close().await;
    };
    TEMPLATE.get_or_init(make).await;
    postgres_from("migrated").await
}

/// A PostgreSQL database with nothing in it, not even a schema.
pub async fn postgres_unmigrated() -> TestStore {
    postgres_from("template0").await
}

async fn postgres_from(template: &str) -> TestStore {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let url = cluster().await.create_database(&name, template).await;
    let store = Store::open(&url).await.expect("a new database opens");
    TestStore { name: "postgres", url, store, _folder: None }
}

/// A cluster in a temporary folder, reached through a socket in it, so that no port can be taken already.
struct Cluster {
    folder: String,
    /// The script below; it waits on this process's end of its input, which closes however this process ends.
    _watch: Child,
}

async fn cluster() -> &'static Cluster {
    static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
    CLUSTER.get_or_init(async || tokio::task::spawn_blocking(Cluster::start).await.expect("the cluster starts")).await
}

/// Makes the cluster, says where, and takes it away when its input ends. The collation is one that does not sort by bytes.
/// What stays is the model it was copied from, for the next one.
const WATCH: &str = r#"
set -e
bin=$1
dir=$(mktemp -d "${TMPDIR:-/tmp}/mr-provisioner-pg.XXXXXX")
server=
finish() {
    trap - EXIT
    if [ -n "$server" ]; then kill -QUIT "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$dir"
}
trap finish EXIT
trap exit HUP INT TERM
cd "$dir"
make() {
    "$bin/initdb" -D new -U postgres -A trust --no-sync -E UTF8 --locale=C.UTF-8 --wal-segsize=1 "$@" >log 2>&1
}
# Making one takes a second, copying it a tenth of that, and every test process needs one.
model=${TMPDIR:-/tmp}/mr-provisioner-pg-model-$(id -u)-$(echo "$bin" | cksum | cut -d' ' -f1)
if [ ! -O "$model" ]; then
    make --locale-provider=icu --icu-locale=en-US || { rm -rf new; make; } || { cat log >&2; exit 1; }
    # whoever is first; a folder that is there already stays
    mv -T new "$model" 2>/dev/null || rm -rf new
fi
cp -a "$model" data
"$bin/postgres" -D data -k "$dir" -c listen_addresses= -c max_connections=500 \
    -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c autovacuum=off </dev/null >log 2>&1 &
server=$!
until "$bin/pg_isready" -q -h "$dir"; do kill -0 "$server" 2>/dev/null || { cat log >&2; exit 1; }; sleep 0.05; done
echo "$dir"
read -r _ || true
"#;

impl Cluster {
    fn start() -> Cluster {
        let bin = programs().expect("PostgreSQL is missing: install the Debian package `postgresql`");
        // PostgreSQL refuses to run as root.
        let root = Path::new("/proc/self").metadata().is_ok_and(|me| me.uid() == 0);
        let mut watch = if root {
            let mut runuser = Command::new("runuser");
            runuser.args(["-u", "postgres", "--", "sh"]);
            runuser
        } else {
            Command::new("sh")
        };
        watch.args(["-c", WATCH, "sh"]).arg(bin).env_remove("PGDATA").env_remove("PGHOST").env_remove("PGPORT");
        let mut watch =
            watch.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runuser and sh are there");
        let mut folder = String::new();
        if let Some(out) = watch.stdout.take() {
            BufReader::new(out).read_line(&mut folder).expect("the script's output is text");
        }
        if folder.is_empty() {
            let mut said = String::new();
            if let Some(mut err) = watch.stderr.take() {
                err.read_to_string(&mut said).expect("the script's complaint is text");
            }
            panic!("PostgreSQL does not start: {said}");
        }
        Cluster { folder: folder.trim_end().to_owned(), _watch: watch }
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder)
    }

    async fn create_database(&self, name: &str, template: &str) -> String {
        let mut admin = PgConnection::connect(&self.url("postgres")).await.expect("the test cluster answers");
        sqlx::raw_sql(AssertSqlSafe(format!("create database {name} template {template}")))
            .execute(&mut admin)
            .await
            .expect("the test cluster makes a database");
        let _ = admin.close().await;
        self.url(name)
    }
}

/// Where `initdb` is: Debian keeps it out of the path, one folder per version.
fn programs() -> Option<PathBuf> {
    let version = |bin: &PathBuf| bin.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|e| e.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian
        .filter(|bin| bin.join("initdb").exists())
        .max_by_key(version)
        .or_else(|| std::env::split_paths(&path).find(|bin| bin.join("initdb").exists()))
}
