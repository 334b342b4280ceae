//! The schema's history.

use crate::fixtures::*;
use store::testing::{self, TestStore};
use store::*;

async fn an_empty_database_says_what_it_lacks_and_takes_it_once(db: TestStore) {
    let pending = db.store.pending_migrations().await.expect("pending");
    assert_eq!(pending.first().map(String::as_str), Some("0001 initial"));
    assert!(pending.is_sorted());

    db.store.migrate().await.expect("migrate");
    assert_eq!(db.store.pending_migrations().await.expect("pending"), [""; 0]);
    let mut tx = tx(&db).await;
    users::insert(&mut tx, &a_user("anna")).await.expect("the schema is there");
    tx.commit().await.expect("commit");

    db.store.migrate().await.expect("once more changes nothing");
    assert_eq!(users::count(&mut *read(&db).await).await.expect("count"), 1);
}

#[tokio::test]
async fn once_on_sqlite() {
    an_empty_database_says_what_it_lacks_and_takes_it_once(testing::sqlite_unmigrated().await).await;
}

#[tokio::test]
async fn once_on_postgres() {
    an_empty_database_says_what_it_lacks_and_takes_it_once(testing::postgres_unmigrated().await).await;
}

store_test!(
    async fn a_database_newer_than_the_program_is_left_alone(db) {
        let later = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (9999, 'later', true, ";
        match db.name {
            "sqlite" => run_sqlite(&db.url, &format!("{later}x'00', 0)")).await,
            _ => run_postgres(&db.url, &format!("{later}'\\x00', 0)")).await,
        }
        assert!(matches!(db.store.migrate().await, Err(StoreError::Migrate(_))));
    }
);

async fn run_sqlite(url: &str, sql: &str) {
    use sqlx::Connection;
    let mut conn = sqlx::SqliteConnection::connect(url).await.expect("opens");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.expect("runs");
}

async fn run_postgres(url: &str, sql: &str) {
    use sqlx::Connection;
    let mut conn = sqlx::PgConnection::connect(url).await.expect("opens");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.expect("runs");
}
