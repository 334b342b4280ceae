//! Wire types of `/api/v1` and the port through which pages reach them. One file per resource.

mod arch;
mod assignee;
mod bmc;
mod client;
mod console;
mod discovered;
mod error;
mod event;
mod fields;
mod image;
mod interface;
mod lease;
mod machine;
mod network;
mod preseed;
pub mod query;
mod reservation;
mod user;

pub use arch::*;
pub use assignee::*;
pub use bmc::*;
pub use client::{Api, ApiClient, Method, Progress, StreamStatus, Subscription, Upload};
pub use console::*;
pub use discovered::*;
pub use error::ApiError;
pub use event::*;
pub use fields::*;
pub use image::*;
pub use interface::*;
pub use lease::*;
pub use machine::*;
pub use network::*;
pub use preseed::*;
pub use reservation::*;
pub use user::*;
