//! Names of uploaded files: one fit for a path that bootloaders ask for, one fit to be shown.

/// Most characters of a part of a path. TFTP requests have to fit in 512 bytes with everything around them (RFC 1350).
const PART: usize = 100;
/// Most characters of a name that is shown.
const SHOWN: usize = 255;

/// Makes a part of a path of any text: ASCII letters, digits and `._-`, neither beginning nor ending with a dot, never
/// empty. What a loader's configuration or a shell would trip over becomes `_`. Of a long name the end is kept,
/// because it has the version and the extension.
#[must_use]
pub fn safe_name(text: &str, otherwise: &str) -> String {
    // some browsers send the whole path
    let text = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut name = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let double = (c == '_' || c == '.') && name.ends_with(c);
        if !double {
            name.push(c);
        }
    }
    // ASCII: every byte is a character
    let name = &name[name.len().saturating_sub(PART)..];
    let name = name.trim_matches(['.', '_', '-']);
    if name.is_empty() { otherwise.to_owned() } else { name.to_owned() }
}

/// The uploader's own name for the file, without what cannot be shown.
#[must_use]
pub fn shown_name(text: &str) -> String {
    let name: String = text.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    if name.trim().is_empty() { "file".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_name_stays_as_it_is() {
        assert_eq!(safe_name("vmlinuz-6.12.0-1-amd64", "file"), "vmlinuz-6.12.0-1-amd64");
        assert_eq!(safe_name("initrd.gz", "file"), "initrd.gz");
    }

    #[test]
    fn a_hostile_name_becomes_a_harmless_one() {
        for (hostile, safe) in [
            ("../../etc/passwd", "passwd"),
            ("..", "file"),
            ("...", "file"),
            ("", "file"),
            ("/", "file"),
            ("C:\\boot\\grub.efi", "grub.efi"),
            ("a\0b", "a_b"),
            ("a b\nlinux evil", "a_b_linux_evil"),
            ("🚀", "file"),
            ("🚀.efi", "efi"),
            ("ünï.gz", "n_.gz"),
            (".hidden", "hidden"),
            ("-rf", "rf"),
            ("a${IFS}b", "a_IFS_b"),
        ] {
            assert_eq!(safe_name(hostile, "file"), safe, "{hostile:?}");
        }
    }

    #[test]
    fn of_a_long_name_the_end_is_kept() {
        let long = format!("{}.efi", "x".repeat(1000));
        let safe = safe_name(&long, "file");
        assert_eq!(safe.len(), PART);
        assert!(safe.ends_with("x.efi"));
    }

    #[test]
    fn whatever_it_is_given_it_is_a_path_part() {
        proptest::proptest!(|(text: String)| {
            let name = safe_name(&text, "file");
            proptest::prop_assert!(!name.is_empty() && name.len() <= PART);
            proptest::prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)));
            proptest::prop_assert!(!name.contains("..") && !name.starts_with('.') && !name.ends_with('.'));
            let shown = shown_name(&text);
            proptest::prop_assert!(!shown.is_empty() && !shown.chars().any(char::is_control));
        });
    }
}
