//! A kernel command line inside a loader's configuration.

/// Splits as the kernel does (`next_arg`, kernel/lib/cmdline.c): on blanks, where a double quote protects blanks.
/// The quotes stay part of the word.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in line.chars() {
        if c == '"' {
            quoted = !quoted;
        }
        if c.is_whitespace() && !quoted {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            word.push(c);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The command line as arguments of GRUB's `linux` command.
///
/// GRUB parses the line as a shell would, and puts double quotes around an argument that has a blank in it when it
/// hands it to the kernel. So the user's own double quotes go, everything is taken literally, and the kernel reads
/// `foo="a b"` as `"foo=a b"`, which means the same to it.
pub(super) fn for_grub(line: &str) -> String {
    let words = words(line).into_iter().map(|word| {
        let bare: String = word.chars().filter(|c| *c != '"').collect();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._/,:=+@%".contains(c);
        if bare.chars().all(plain) && !bare.is_empty() { bare } else { format!("'{}'", bare.replace('\'', "'\\''")) }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The command line as the value of pxelinux' `APPEND`: taken literally to the end of the line.
pub(super) fn for_pxelinux(line: &str) -> String {
    words(line).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_stay_plain() {
        assert_eq!(for_grub("console=ttyS0,115200n8  quiet "), "console=ttyS0,115200n8 quiet");
        assert_eq!(for_pxelinux("console=ttyS0,115200n8  quiet "), "console=ttyS0,115200n8 quiet");
    }

    #[test]
    fn nothing_in_a_command_line_is_grub_script() {
        assert_eq!(for_grub("a=$b; reboot"), "'a=$b;' reboot");
        assert_eq!(for_grub("url=http://h/p?k=1&x=2"), "'url=http://h/p?k=1&x=2'");
        assert_eq!(for_grub("x='y'"), "'x='\\''y'\\'''");
        assert_eq!(for_grub("{ } # |"), "'{' '}' '#' '|'");
    }

    #[test]
    fn quotes_protect_blanks_as_the_kernel_has_it() {
        assert_eq!(for_grub("dyndbg=\"file a.c +p\" x"), "'dyndbg=file a.c +p' x");
        assert_eq!(for_pxelinux("dyndbg=\"file a.c +p\" x"), "dyndbg=\"file a.c +p\" x");
    }
}
