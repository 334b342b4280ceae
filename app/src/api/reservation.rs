//! Taking any free machine that fits.

use serde::{Deserialize, Serialize};

use super::{ApiError, client::Api, fields::Reason, machine::Machine, query::quoted};

/// Most characters of the query, as in the original.
pub const RESERVATION_QUERY_LIMIT: usize = 300;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reservation {
    /// Which machines will do, in the language of the machine list's `q`; must be there, `null`: any.
    #[serde(deserialize_with = "Option::deserialize")]
    #[cfg_attr(feature = "openapi", schema(required, max_length = 300))]
    pub query: Option<String>,
    /// Only machines that this search of the machine list finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    #[serde(default)]
    pub reason: Option<Reason>,
}

impl Api {
    /// A machine nobody had, which is the caller's now.
    pub async fn reserve(&self, wanted: &Reservation) -> Result<Machine, ApiError> {
        self.post("/machine/reservation", wanted).await
    }

    /// This very machine, if nobody has it. Somebody may have been quicker.
    pub async fn reserve_named(&self, name: &str, reason: Option<Reason>) -> Result<Machine, ApiError> {
        let wanted = Reservation { query: Some(format!("(= name {})", quoted(name))), search: None, reason };
        self.reserve(&wanted).await.map_err(|mut error| {
            if error.is_not_found() {
                error.errors = vec![format!("{name} is not free any more")];
            }
            error
        })
    }
}
