//! SSH keys as `authorized_keys` has them (sshd(8)), told line by line with the fingerprint that `ssh-keygen -lf` prints.

use leptos::prelude::*;
use ssh_key::{HashAlg, PublicKey};

use crate::ui::{Glyph, Icon};

/// Most characters the SSH keys may have.
const LIMIT: usize = 512 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Key {
        kind: String,
        fingerprint: String,
        comment: String,
    },
    /// Counted from 1.
    Wrong {
        number: usize,
        why: String,
    },
}

fn lines(text: &str) -> Vec<Line> {
    let told = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    told.map(|(index, line)| match key(line.trim()) {
        Some(key) => Line::Key {
            kind: key.algorithm().to_string(),
            fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
            comment: key.comment().to_string(),
        },
        None => Line::Wrong { number: index + 1, why: "no public key that is known here".to_owned() },
    })
    .collect()
}

/// With or without options before it: what stands before the first blank that is not between quotes.
fn key(line: &str) -> Option<PublicKey> {
    line.parse().ok().or_else(|| {
        let (mut quoted, mut escaped) = (false, false);
        let end = line.find(|char| {
            quoted ^= char == '"' && !escaped;
            escaped = char == '\\';
            char == ' ' && !quoted
        })?;
        line.get(end..)?.trim().parse().ok()
    })
}

/// What may be sent. Anything may be kept that is no secret: preseeds may read the field as they like.
pub(super) fn parse(text: &str) -> Result<String, String> {
    if text.contains("PRIVATE KEY-----") {
        return Err("This is a private key. Keep it to yourself; the public one is in the file that ends in .pub".into());
    }
    if text.chars().count() > LIMIT {
        return Err("ssh_key must be smaller than 512kB".into());
    }
    Ok(text.to_owned())
}

/// `line 2`, or `lines 2, 3`: those that are no keys.
pub(super) fn unknown(text: &str) -> Option<String> {
    let numbers = lines(text).into_iter().filter_map(|line| match line {
        Line::Wrong { number, .. } => Some(number.to_string()),
        Line::Key { .. } => None,
    });
    let numbers: Vec<String> = numbers.collect();
    let word = match numbers.len() {
        0 => return None,
        1 => "line",
        _ => "lines",
    };
    Some(format!("{word} {}", numbers.join(", ")))
}

/// The keys in `text`, and the lines that are none.
#[component]
pub(super) fn Keys(#[prop(into)] text: Signal<String>) -> impl IntoView {
    let told = Memo::new(move |_| text.with(|text| lines(text)));
    view! {
        <ul class="flex flex-col gap-1 text-sm empty:hidden" aria-label="Keys" data-testid="ssh-keys">
            {move || told.get().into_iter().map(draw).collect_view()}
        </ul>
    }
}

fn draw(line: Line) -> AnyView {
    match line {
        Line::Key { kind, fingerprint, comment } => view! {
            <li class="flex flex-wrap items-baseline gap-x-2">
                <Glyph icon=Icon::Key class="size-4 self-center"/>
                <span class="font-medium break-all">{if comment.is_empty() { "without a comment".to_owned() } else { comment }}</span>
                <span>{kind}</span>
                <code class="text-xs break-all">{fingerprint}</code>
            </li>
        }
        .into_any(),
        Line::Wrong { number, why } => view! {
            <li class="flex items-start gap-2" data-wrong=number.to_string()>
                <Glyph icon=Icon::Warning class="size-4 mt-0.5 text-warning"/>
                <span>{format!("Line {number}: {why}")}</span>
            </li>
        }
        .into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // made and told by OpenSSH: ssh-keygen -t …; ssh-keygen -lf
    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKNVftecCpBrXB2h/pg6ML/kFRrvrmPcw3FfdrHbpT0U ann@lab";
    const RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCU/u4TYX2mcpvyghW8XA+m8Z4ggCWLstgSREHI+I52JSEGZz5qZ0+d7l1BxKRPyweDNONs6OBKFA6sEBDku7AVC/BzY3ghdrH5lE5/rMzpJ2eLWJ0zUVInkPer4c954e0wyte4Pvu+LdI7kO2ZRw/sETS2iAps01DnshskR2N7m9MrmbrbNdn/96bdmmw9P+zt25TC6peWgaeVeXvuPuZFcZ2uyAcdS75c7aXjUk6u4nq6os1IVp3D1kJX2x31ycPkuMdGoNuYHfswFh2pJiDKYogm7LOwPQL0xyTFu+cKfGm/ipZ8n37J8qiVyyq0GZ0p5ZMwFG801c11MSZnVkjf two words";
    const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBNMw5s19UtaNpuURyHdtJqEibDIQKkDucZD0a7+xgZydGtxdaPliNuXfnFTMtyxEP0NkDqbPO63UcfLCfMc10M4=";

    #[test]
    fn fingerprints_are_those_of_ssh_keygen() {
        let text = format!("# mine\n{ED25519}\n\n  {RSA}\r\nno-pty,command=\"echo \\\"a b\\\"\" {ECDSA}\nssh-ed25519 AAAA broken\n");
        let key = |kind: &str, fingerprint: &str, comment: &str| Line::Key {
            kind: kind.to_owned(),
            fingerprint: fingerprint.to_owned(),
            comment: comment.to_owned(),
        };
        let expected = [
            key("ssh-ed25519", "SHA256:9887Jyj4m5W2yGOAt1BfTn6QkvPE7iM9buLkRziKx/c", "ann@lab"),
            key("ssh-rsa", "SHA256:k5pJAt9MIXYxMLtVan/+haiyac7OjB0bHokCgbAQDd8", "two words"),
            key("ecdsa-sha2-nistp256", "SHA256:2f4KEUfM6CIyWkGZNMpja7aP75iympf3MDLS3fRJY0k", ""),
            Line::Wrong { number: 6, why: "no public key that is known here".to_owned() },
        ];
        assert_eq!(lines(&text), expected);
        assert!(lines("").is_empty());
    }

    #[test]
    fn lines_that_are_no_keys_are_named() {
        assert_eq!(unknown(&format!("# mine\n{ED25519}\n")), None);
        assert_eq!(unknown(&format!("{ED25519}\nmy key\n")).as_deref(), Some("line 2"));
        assert_eq!(unknown(&format!("my\n\nkey\n{ED25519}")).as_deref(), Some("lines 1, 3"));
    }

    #[test]
    fn a_private_key_is_not_sent() {
        assert!(parse("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl").unwrap_err().starts_with("This is a private key"));
        assert_eq!(parse("anything else"), Ok("anything else".into()));
        assert!(parse(&"x".repeat(LIMIT + 1)).is_err());
    }
}
