//! The store on PostgreSQL: `server/store/sql` compiled against `migrations/postgres`, and what only PostgreSQL has (the pool).
#![forbid(unsafe_code)]

mod db;

pub use db::{Db, Reader, Writer};

/// What every statement of `server/store/sql` runs on.
pub type Conn = sqlx::PgConnection;

/// The schema's history.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../../migrations/postgres");

#[path = "../../sql/archs.rs"]
pub mod archs;
#[path = "../../sql/assignments.rs"]
pub mod assignments;
#[path = "../../sql/audit.rs"]
pub mod audit;
#[path = "../../sql/bmcs.rs"]
pub mod bmcs;
#[path = "../../sql/console_tokens.rs"]
pub mod console_tokens;
#[path = "../../sql/discovered_macs.rs"]
pub mod discovered_macs;
#[path = "../../sql/events.rs"]
pub mod events;
#[path = "../../sql/identities.rs"]
pub mod identities;
#[path = "../../sql/images.rs"]
pub mod images;
#[path = "../../sql/interfaces.rs"]
pub mod interfaces;
#[path = "../../sql/inventory.rs"]
pub mod inventory;
#[path = "../../sql/leases.rs"]
pub mod leases;
#[path = "../../sql/machine_tags.rs"]
pub mod machine_tags;
#[path = "../../sql/machines.rs"]
pub mod machines;
#[path = "../../sql/networks.rs"]
pub mod networks;
#[path = "../../sql/preseeds.rs"]
pub mod preseeds;
#[path = "../../sql/sessions.rs"]
pub mod sessions;
#[path = "../../sql/subarchs.rs"]
pub mod subarchs;
#[path = "../../sql/tokens.rs"]
pub mod tokens;
#[path = "../../sql/users.rs"]
pub mod users;
