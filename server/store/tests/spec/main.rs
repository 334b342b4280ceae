//! What the store promises, each promise kept on SQLite and on PostgreSQL.

/// `store_test!(async fn name(db) { … })` runs the body once per engine; `db` is a [`store::testing::TestStore`].
macro_rules! store_test {
    ($(#[doc = $doc:literal])* async fn $name:ident($db:ident) $body:block) => {
        $(#[doc = $doc])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn promise($db: store::testing::TestStore) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                promise(store::testing::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                promise(store::testing::postgres().await).await;
            }
        }
    };
}

mod crash;
mod discovery;
mod events;
mod expiry;
mod fixtures;
mod inventory;
mod lists;
mod migrations;
mod references;
mod rows;
mod tags;
mod transactions;
mod uniqueness;
