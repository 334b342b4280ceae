//! A part of a list, in an order, of some items.

use std::{borrow::Cow, cmp::Ordering, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{List, MOST, Paged};

/// A place in an order: what is sorted by, and the key of the item there.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub value: Value,
    pub key: Value,
}

/// By which member, and which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub member: String,
    pub downwards: bool,
}

impl Order {
    pub(super) fn of(text: &str) -> Self {
        let member = text.strip_prefix('-');
        Self { member: member.unwrap_or(text).to_owned(), downwards: member.is_some() }
    }

    pub(super) fn word(&self) -> String {
        format!("{}{}", if self.downwards { "-" } else { "" }, self.member)
    }
}

/// What was asked of a list.
#[derive(Clone, Debug)]
pub struct Asked {
    list: Arc<List>,
    pub limit: usize,
    /// How many are left out at the beginning; 0 with a cursor.
    pub offset: usize,
    pub order: Order,
    pub after: Option<Place>,
    filters: Vec<Filter>,
}

impl Asked {
    /// None when nothing is asked of the list.
    ///
    /// # Errors
    /// A sentence that names the parameter.
    pub(super) fn of(list: &Arc<List>, pairs: &[(String, String)]) -> Option<Result<Self, String>> {
        let ours = ["limit", "cursor", "offset", "sort", "filter"];
        pairs.iter().any(|(name, _)| ours.contains(&name.as_str())).then(|| Self::parse(list, pairs))
    }

    fn parse(list: &Arc<List>, pairs: &[(String, String)]) -> Result<Self, String> {
        let mut asked =
            Self { list: Arc::clone(list), limit: usize::MAX, offset: 0, order: list.usual.clone(), after: None, filters: Vec::new() };
        let mut cursor = None;
        for (name, value) in pairs {
            match name.as_str() {
                "limit" => asked.limit = limit(value, MOST)?,
                "cursor" => cursor = Some(value),
                "offset" => asked.offset = value.parse().map_err(|_| "offset must be a number from 0".to_owned())?,
                "sort" => {
                    asked.order = Order::of(value);
                    known(list, "sort", &asked.order.member)?;
                }
                "filter" => {
                    let filter = Filter::parse(value)?;
                    known(list, "filter", &filter.member)?;
                    asked.filters.push(filter);
                }
                _ => {}
            }
        }
        if let Some(cursor) = cursor {
            asked.limit = asked.limit.min(MOST);
            let place = place(cursor, &asked.order);
            asked.after = Some(place.ok_or("cursor is none that this list gave in this order: begin without one")?);
            if asked.offset > 0 {
                return Err("offset makes no sense with cursor, which says where to begin".into());
            }
        }
        if asked.offset > 0 {
            asked.limit = asked.limit.min(MOST);
        }
        Ok(asked)
    }

    /// By which member, when it is only about an order and so many items of it, whichever way.
    #[must_use]
    pub fn plain_order(&self) -> Option<&str> {
        self.filters.is_empty().then_some(&self.order.member)
    }

    /// The items asked for.
    pub(super) fn part(&self, mut items: Vec<Value>) -> (Vec<Value>, Paged) {
        items.retain(|item| self.filters.iter().all(|filter| filter.fits(&item[&filter.member])));
        let mut items: Vec<(Place, Value)> = items.into_iter().map(|item| (self.place_of(&item), item)).collect();
        items.sort_by(|(a, _), (b, _)| self.compare(a, b));
        let total = items.len();
        if let Some(after) = &self.after {
            items.retain(|(place, _)| self.compare(place, after).is_gt());
        }
        items.drain(..self.offset.min(total));
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let next = items.last().filter(|_| more).map(|(place, _)| place.clone());
        (items.into_iter().map(|(_, item)| item).collect(), Paged { total, next })
    }

    fn place_of(&self, item: &Value) -> Place {
        Place { value: item[&self.order.member].clone(), key: self.list.key(item) }
    }

    /// What is equal goes by its key, the same way.
    fn compare(&self, a: &Place, b: &Place) -> Ordering {
        let order = compare(&a.value, &b.value).then_with(|| compare(&a.key, &b.key));
        if self.order.downwards { order.reverse() } else { order }
    }

    /// Names a place in this order.
    pub(super) fn cursor(&self, place: &Place) -> String {
        URL_SAFE_NO_PAD.encode(json!([self.order.word(), place.value, place.key]).to_string())
    }
}

/// # Errors
/// A sentence that names the parameter.
pub(super) fn limit(text: &str, most: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|limit| (1..=most).contains(limit));
    number.ok_or_else(|| format!("limit must be a number from 1 to {most}"))
}

fn known(list: &List, parameter: &str, member: &str) -> Result<(), String> {
    if list.members.contains(member) {
        return Ok(());
    }
    let members: Vec<&str> = list.members.iter().map(String::as_str).collect();
    Err(format!("{parameter}: the list's items have no member {member:?}, but {}", members.join(", ")))
}

/// None when the cursor is of another order, or none at all.
fn place(cursor: &str, order: &Order) -> Option<Place> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (word, value, key) = serde_json::from_slice::<(String, Value, Value)>(&bytes).ok()?;
    (word == order.word()).then_some(Place { value, key })
}

/// Texts by their bytes, numbers by size; what is empty first.
fn compare(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    };
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.as_f64().unwrap_or_default().total_cmp(&b.as_f64().unwrap_or_default()),
        },
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => a.len().cmp(&b.len()),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// `arch=arm64`, `name~d05`, `assignees!=`: a member, how, and a text.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub member: String,
    how: How,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Is,
    IsNot,
    /// In any case of letters.
    Has,
}

impl Filter {
    /// # Errors
    /// A sentence that names the parameter.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let at = text.find(['=', '~', '!']).filter(|at| *at > 0);
        let found = at.and_then(|at| {
            let (member, rest) = text.split_at(at);
            let signs = [("!=", How::IsNot), ("=", How::Is), ("~", How::Has)];
            signs.into_iter().find_map(|(sign, how)| {
                let text = rest.strip_prefix(sign)?;
                // once, not for every item
                let text = if how == How::Has { text.to_lowercase() } else { text.to_owned() };
                Some(Self { member: member.to_owned(), how, text })
            })
        });
        found.ok_or_else(|| format!("filter: {text:?} is not a member, one of = != ~ and a text, such as arch=arm64"))
    }

    pub(super) fn fits(&self, value: &Value) -> bool {
        let is = |value: &Value| text(value) == self.text;
        let has = |value: &Value| text(value).to_lowercase().contains(&self.text);
        // of several, one is enough; none is as empty as null
        let any = |fits: &dyn Fn(&Value) -> bool| match value {
            Value::Array(values) if values.is_empty() => self.text.is_empty(),
            Value::Array(values) => values.iter().any(fits),
            other => fits(other),
        };
        match self.how {
            How::Is => any(&is),
            How::IsNot => !any(&is),
            How::Has => any(&has),
        }
    }
}

/// As it is compared with a filter's text: nothing is as empty as null.
fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Uri;

    use super::*;

    fn parsed(query: &str) -> Option<Result<Asked, String>> {
        let members = ["id", "name", "arch", "macs"].map(str::to_owned).into();
        let address: Uri = format!("/machine?{query}").parse().unwrap();
        Asked::of(&Arc::new(List::new("/machine", members)), &super::super::pairs(&address))
    }

    fn asked(query: &str) -> Asked {
        parsed(query).unwrap().unwrap()
    }

    fn refused(query: &str) -> String {
        parsed(query).unwrap().unwrap_err()
    }

    fn lab() -> Vec<Value> {
        let item = |id: i64, name: &str, arch: &str, macs: &[&str]| json!({ "id": id, "name": name, "arch": arch, "macs": macs });
        vec![item(3, "a", "arm64", &[]), item(1, "b", "x86_64", &["52:54"]), item(2, "c", "arm64", &["52:55", "52:56"])]
    }

    fn names(query: &str) -> String {
        asked(query).part(lab()).0.iter().map(|item| item["name"].as_str().unwrap()).collect()
    }

    #[test]
    fn a_list_is_left_alone_unless_something_is_asked_of_it() {
        assert!(parsed("show_all=true&q=(=+name+%22a%22)").is_none());
    }

    #[test]
    fn it_is_filtered_and_sorted() {
        assert_eq!(names("sort=-name"), "cba");
        assert_eq!(names("sort=id"), "bca");
        assert_eq!(names("sort=arch"), "cab", "what is equal goes by id");
        assert_eq!(names("sort=-arch"), "bac", "the same way");
        assert_eq!(names("filter=arch%3Darm64"), "ac");
        assert_eq!(names("filter=arch!%3Darm64"), "b");
        assert_eq!(names("filter=name~B"), "b");
        assert_eq!(names("filter=macs%3D52:56"), "c");
        assert_eq!(names("filter=macs%3D"), "a");
        assert_eq!(names("filter=id%3D3"), "a");
        assert_eq!(names("filter=arch%3Darm64&filter=name~c"), "c", "several must all fit");
    }

    #[test]
    fn what_makes_no_sense_is_told_with_the_parameters_name() {
        assert_eq!(refused("sort=colour"), "sort: the list's items have no member \"colour\", but arch, id, macs, name");
        assert!(refused("sort=").starts_with("sort: "));
        assert!(refused("filter=colour%3Dred").starts_with("filter: the list's items have no member \"colour\""));
        assert!(refused("filter=name").starts_with("filter: \"name\" is not a member, one of"));
        for wrong in ["0", "1001", "-1", "many", ""] {
            assert_eq!(refused(&format!("limit={wrong}")), "limit must be a number from 1 to 1000");
        }
        assert_eq!(refused("offset=-1"), "offset must be a number from 0");
        assert!(refused("cursor=x").starts_with("cursor is none that this list gave"));
        let by_id = asked("sort=id&limit=1").cursor(&Place { value: json!(1), key: json!(1) });
        assert!(refused(&format!("sort=name&cursor={by_id}")).starts_with("cursor is none that this list gave in this order"));
    }

    #[test]
    fn a_page_may_also_begin_after_so_many() {
        assert_eq!(names("sort=name&offset=1"), "bc");
        assert_eq!(names("sort=name&offset=1&limit=1"), "b");
        assert_eq!(names("offset=9"), "");
        let (_, paged) = asked("offset=1&limit=1").part(lab());
        assert_eq!(paged.total, 3);
        let cursor = asked("offset=1").cursor(&paged.next.unwrap());
        assert_eq!(names(&format!("cursor={cursor}")), "c");
        assert_eq!(refused(&format!("offset=1&cursor={cursor}")), "offset makes no sense with cursor, which says where to begin");
    }

    #[test]
    fn what_has_no_key_is_told_apart_by_all_of_it() {
        let members = ["name", "reading"].map(str::to_owned).into();
        let list = Arc::new(List::new("/machine/{id}/sensors", members));
        let page = |query: &str| Asked::of(&list, &super::super::pairs(&format!("/?{query}").parse().unwrap())).unwrap().unwrap();
        let sensors = || vec![json!({ "name": "Fan", "reading": 1 }), json!({ "name": "Fan", "reading": 2 })];
        let first = page("limit=1");
        let cursor = first.cursor(&first.part(sensors()).1.next.unwrap());
        assert_eq!(page(&format!("cursor={cursor}")).part(sensors()).0, [json!({ "name": "Fan", "reading": 2 })]);
    }

    #[test]
    fn pages_meet_even_when_what_the_cursor_names_has_gone() {
        let first = asked("limit=1");
        let (items, paged) = first.part(lab());
        assert_eq!((items.len(), paged.total), (1, 3));
        let next = format!("limit=1&cursor={}", first.cursor(&paged.next.unwrap()));
        let rest = lab().into_iter().skip(1).collect();
        assert_eq!(asked(&next).part(rest).0[0]["name"], "b");
        assert_eq!(asked("limit=3").part(lab()).1.next, None);
    }
}
