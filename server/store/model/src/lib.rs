//! Plain rows of the database, one file per table, shared by both engines and by everyone who reads the store.
//!
//! Fields are exactly the columns: ids and numbers `i64`, instants `i64` microseconds since 1970-01-01 UTC, MAC, IP, CIDR
//! and JSON as text. Nothing is validated here: the newtypes of `app::api` do that before a row is written.
//! `New…` is what an insert takes (no id), `…View` a row joined with the names a list or page shows.
#![forbid(unsafe_code)]

mod arch;
mod assignment;
mod audit;
mod bmc;
mod changes;
mod console_token;
mod discovered;
mod event;
mod identity;
mod image;
mod interface;
mod lease;
mod machine;
mod network;
mod preseed;
mod session;
mod subarch;
mod tag;
mod token;
mod used_by;
mod user;

pub use arch::{ArchRow, NewArch};
pub use assignment::{AssignmentRow, AssignmentView, NewAssignment};
pub use audit::{AuditFilter, AuditRow, NewAudit};
pub use bmc::{BmcRow, NewBmc};
pub use changes::Changes;
pub use console_token::ConsoleTokenRow;
pub use discovered::DiscoveredRow;
pub use event::{EventFilter, EventRow, NewEvent};
pub use identity::{IdentityRow, NewIdentity};
pub use image::{ImageRow, ImageView, NewImage};
pub use interface::{InterfaceRow, InterfaceView, NewInterface};
pub use lease::{LeaseRow, LeaseView};
pub use machine::{MachineRow, MachineView, NewMachine};
pub use network::{NetworkRow, NewNetwork};
pub use preseed::{NewPreseed, PreseedRow, PreseedView};
pub use session::SessionRow;
pub use subarch::{NewSubarch, SubarchRow, SubarchView};
pub use tag::TagRow;
pub use token::{NewToken, TokenOwner, TokenRow};
pub use used_by::UsedBy;
pub use user::{NewUser, UserRow};
