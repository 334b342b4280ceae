//! The rules of the lab: one file per subject. Each function checks the actor's right, opens the transaction,
//! applies the rule and writes the event. Knows no axum and no SQL.

mod actor;
mod error;

use std::{ops::Deref, sync::Arc};

use store::Store;

pub use actor::{Actor, Origin};
pub use error::LabError;

use crate::{journal::Journal, secrets::Secrets};

/// Everything the rules work on. Cheap to clone.
#[derive(Clone)]
pub struct Lab(Arc<Parts>);

pub struct Parts {
    pub store: Store,
    pub journal: Journal,
    pub secrets: Secrets,
}

impl Lab {
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for Lab {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
