//! Where a list goes on.

use std::fmt::Write;

use axum::http::HeaderValue;

/// `Link: <…>; rel="next"` (RFC 8288): the same list, from the cursor on. `path` is relative to `/api/v1`.
pub(super) fn next_link(path: &str, pairs: &[(&'static str, String)], cursor: &str) -> HeaderValue {
    let mut link = format!("</api/v1{path}?");
    for (name, value) in pairs {
        link.push_str(name);
        link.push('=');
        encode(&mut link, value);
        link.push('&');
    }
    link.push_str("cursor=");
    encode(&mut link, cursor);
    link.push_str(">; rel=\"next\"");
    // nothing but what a header may have is left of it
    HeaderValue::from_str(&link).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn encode(link: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            link.push(char::from(byte));
        } else {
            // writing to a text cannot fail
            let _ = write!(link, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_says_again_what_was_asked() {
        let link = next_link("/admin/audit", &[("user", "ann & bob".into())], "7");
        assert_eq!(link, "</api/v1/admin/audit?user=ann%20%26%20bob&cursor=7>; rel=\"next\"");
    }
}
