//! What browser and server share: wire types, the `ApiClient` port, and the pages.
#![recursion_limit = "512"]

pub mod api;
