//! Parts of a log: a list that only grows and is never read whole. Its order is that of its entries' ids, one way or the other.

use axum::{
    Json,
    http::{Uri, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{
    asked::{Filter, limit},
    link, pairs,
};
use crate::lab::LabError;

/// Entries read at a time when only some of them fit.
const CHUNK: usize = 500;
/// Entries read for one answer at most: it may have less than was asked, and still a next page.
const MOST_READ: usize = 20_000;

/// Members of a machine's events.
pub const EVENTS: [&str; 6] = ["id", "machine_id", "username", "date", "event_type", "info"];
/// Members of the audit log's entries.
pub const AUDIT: [&str; 13] =
    ["id", "date", "user", "user_id", "address", "via", "via_id", "action", "kind", "subject_id", "subject", "before", "after"];

/// What is asked of a log.
#[derive(Clone, Debug)]
pub struct Asked {
    pub limit: usize,
    /// The newest first, unless this is said.
    pub upwards: bool,
    /// Only entries beyond this id.
    pub cursor: Option<i64>,
    filters: Vec<Filter>,
}

/// A parameter that is a time, in microseconds.
///
/// # Errors
/// What is none, by the parameter's name.
pub fn instant(name: &str, text: Option<&str>) -> Result<Option<i64>, LabError> {
    let Some(text) = text else { return Ok(None) };
    let time: Timestamp = text.parse().map_err(|_| LabError::invalid(format!("{name} must be a time such as 2027-01-31T12:00:00Z")))?;
    Ok(Some(time.as_microsecond()))
}

/// Entries that fit, and where the next page begins.
pub struct Part {
    pub entries: Vec<Value>,
    pub next: Option<i64>,
}

impl Part {
    #[must_use]
    pub fn answer(self, address: &Uri) -> Response {
        let mut response = Json(self.entries).into_response();
        if let Some(next) = self.next {
            response.headers_mut().insert(header::LINK, link(address, &next.to_string()));
        }
        response
    }
}

impl Asked {
    /// `members` are those of its entries.
    ///
    /// # Errors
    /// A parameter that makes no sense, by its name.
    pub fn of(address: &Uri, members: &[&str], usual: usize, most: usize) -> Result<Self, LabError> {
        Self::parse(&pairs(address), members, usual, most).map_err(LabError::invalid)
    }

    fn parse(pairs: &[(String, String)], members: &[&str], usual: usize, most: usize) -> Result<Self, String> {
        let mut asked = Self { limit: usual, upwards: false, cursor: None, filters: Vec::new() };
        for (name, value) in pairs {
            match name.as_str() {
                "limit" => asked.limit = limit(value, most)?,
                "cursor" => asked.cursor = Some(value.parse().map_err(|_| "cursor is none that this list gave: begin without one")?),
                "sort" => {
                    let upwards = ["id", "-id"].iter().position(|order| order == value);
                    asked.upwards = upwards.ok_or("sort: this list is in the order of time: id, or -id for the newest first")? == 0;
                }
                "filter" => {
                    let filter = Filter::parse(value)?;
                    if !members.contains(&filter.member.as_str()) {
                        return Err(format!("filter: the list's items have no member {:?}, but {}", filter.member, members.join(", ")));
                    }
                    asked.filters.push(filter);
                }
                _ => {}
            }
        }
        Ok(asked)
    }

    /// Whether an entry is one of those asked for.
    #[must_use]
    pub fn fits(&self, entry: &Value) -> bool {
        self.filters.iter().all(|filter| filter.fits(&entry[&filter.member]))
    }

    /// The entries asked for. `read` gives so many beyond an id in the order asked, none when there are no more.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn part<T: Serialize, R: Future<Output = Result<Vec<T>, LabError>>>(
        &self,
        mut read: impl FnMut(Option<i64>, usize) -> R,
    ) -> Result<Part, LabError> {
        let (mut cursor, mut entries, mut seen) = (self.cursor, Vec::new(), 0);
        let chunk = if self.filters.is_empty() { self.limit } else { CHUNK };
        while seen < MOST_READ {
            let some = read(cursor, chunk).await?;
            if some.is_empty() {
                return Ok(Part { entries, next: None });
            }
            seen += chunk;
            for entry in some {
                // plain data: it always has a JSON form
                let entry = serde_json::to_value(entry).unwrap_or_default();
                cursor = entry["id"].as_i64();
                if self.fits(&entry) {
                    entries.push(entry);
                }
                if entries.len() == self.limit {
                    return Ok(Part { entries, next: cursor });
                }
            }
        }
        Ok(Part { entries, next: cursor })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(query: &str) -> Result<Asked, String> {
        let address: Uri = format!("/log?{query}").parse().unwrap();
        Asked::parse(&pairs(&address), &["id", "what"], 3, 10)
    }

    /// A log of so many entries, every hundredth of which is a `reboot`.
    async fn read(query: &str, entries: i64) -> (Vec<i64>, Option<i64>) {
        let asked = asked(query).unwrap();
        let part = asked.part(|beyond, limit| {
            let all: Vec<i64> = if asked.upwards {
                (1..=entries).filter(|id| beyond.is_none_or(|beyond| *id > beyond)).take(limit).collect()
            } else {
                (1..=entries).rev().filter(|id| beyond.is_none_or(|beyond| *id < beyond)).take(limit).collect()
            };
            std::future::ready(Ok(all
                .into_iter()
                .map(|id| json!({ "id": id, "what": if id % 100 == 0 { "reboot" } else { "boot" } }))
                .collect::<Vec<_>>()))
        });
        let part = part.await.unwrap();
        (part.entries.iter().map(|entry| entry["id"].as_i64().unwrap()).collect(), part.next)
    }

    #[tokio::test]
    async fn it_is_read_from_either_end_and_on_from_a_cursor() {
        assert_eq!(read("", 5).await, (vec![5, 4, 3], Some(3)));
        assert_eq!(read("cursor=3", 5).await, (vec![2, 1], None));
        assert_eq!(read("sort=id&limit=2", 5).await, (vec![1, 2], Some(2)));
        assert_eq!(read("sort=id&limit=2&cursor=4", 5).await, (vec![5], None));
    }

    #[tokio::test]
    async fn what_fits_is_looked_for_but_not_for_ever() {
        assert_eq!(read("filter=what%3Dreboot&limit=2", 1000).await, (vec![1000, 900], Some(900)));
        assert_eq!(read("filter=what%3Dreboot&sort=id&limit=2&cursor=850", 1000).await, (vec![900, 1000], Some(1000)));
        assert_eq!(read("filter=what%3Dreboot&cursor=100", 1000).await, (vec![], None));
        // nothing yet, and the reader may go on
        assert_eq!(read("filter=what%3Dcrash", 50_000).await, (vec![], Some(30_001)));
    }

    #[test]
    fn what_makes_no_sense_is_told_with_the_parameters_name() {
        for (wrong, sentence) in [
            ("limit=11", "limit must be a number from 1 to 10"),
            ("cursor=x", "cursor is none that this list gave"),
            ("sort=what", "sort: this list is in the order of time"),
            ("filter=colour%3Dred", "filter: the list's items have no member \"colour\", but id, what"),
        ] {
            assert!(asked(wrong).unwrap_err().starts_with(sentence), "{wrong}");
        }
    }
}
