//! Routers and extractors. Holds no rule and no SQL.

pub mod api;
pub mod error;
pub mod extract;
