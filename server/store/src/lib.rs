//! Persistence. The one crate the server knows for it: [`Store`] is a database (SQLite or PostgreSQL, by URL), and the
//! modules named like the tables hold bare functions over it.
//!
//! ```no_run
//! # async fn example(new: store::NewMachine) -> Result<(), store::StoreError> {
//! let store = store::Store::open("sqlite:///var/lib/mr-provisioner/lab.db").await?;
//! store.migrate().await?;
//!
//! let mut tx = store.begin().await?; // holds the write lock: what it reads stays true until commit
//! let id = store::machines::insert(&mut tx, &new).await?;
//! tx.commit().await?; // without it, everything is taken back
//!
//! let mut read = store.read().await?;
//! let machine = store::machines::view(&mut read, id).await?;
//! # Ok(()) }
//! ```
//!
//! Functions that change something take a [`Tx`], the others a [`Conn`], which both [`Read`] and [`Tx`] turn into.
//! `get…` answers one row as it is stored, `view…` one joined with the names it refers to, `list…` several;
//! `update` writes every changeable column and, like `delete`, answers whether there was such a row;
//! `used_by` lists what keeps a row from being deleted.
#![forbid(unsafe_code)]

mod conn;
mod error;
mod inventory;
mod tables;
#[cfg(feature = "testing")]
pub mod testing;

pub use conn::{Conn, Read, Store, Tx};
pub use error::StoreError;
pub use inventory::{Entry, Inventory};
pub use store_model::*;
pub use tables::*;
