//! Operation ids: what generated clients call their methods, so unique, and the same for as long as the address is.

use std::iter;

use utoipa::openapi::{OpenApi, PathItem, path::Operation};

/// The operations of an address, with the words of their methods.
pub fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// A handler is called `list` in many files: here it becomes `list_machine_event`, by its address. One of several words is a
/// name already.
pub fn complete(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        for (_, operation) in operations(item) {
            if let Some(id) = operation.operation_id.as_mut().filter(|id| !id.contains('_')) {
                *id = named(id, path);
            }
        }
    }
}

fn named(handler: &str, path: &str) -> String {
    let steps: Vec<_> = path.split('/').filter(|step| !step.is_empty() && !step.starts_with('{')).collect();
    // not `free_network_free`
    let steps = steps.strip_suffix(&[handler]).unwrap_or(&steps);
    iter::once(handler).chain(steps.iter().copied()).collect::<Vec<_>>().join("_").replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_is_done_to_what() {
        assert_eq!(named("list", "/machine"), "list_machine");
        assert_eq!(named("get", "/machine/{id}/assignee/{assignee}"), "get_machine_assignee");
        assert_eq!(named("free", "/network/{id}/free"), "free_network");
        assert_eq!(named("preview", "/machine/{id}/preseed-preview"), "preview_machine_preseed_preview");
    }
}
