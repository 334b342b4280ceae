//! The kernel's command line (Documentation/admin-guide/kernel-parameters.rst).

/// Words of a command line: split at spaces, double quotes protect them and are removed.
pub(super) fn words(cmdline: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in cmdline.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
            c => word.push(c),
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

/// The value of the last `name=value` whose name is one of `names`.
pub(super) fn value(cmdline: &str, names: &[&str]) -> Option<String> {
    let found = words(cmdline).into_iter().rev().find_map(|word| {
        let (name, value) = word.split_once('=')?;
        names.contains(&name).then(|| value.to_owned())
    });
    found.filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let line = "BOOT_IMAGE=/k url=http://a/b?k=c=d opt=\"a b\"  auto url= last";
        assert_eq!(words(line), ["BOOT_IMAGE=/k", "url=http://a/b?k=c=d", "opt=a b", "auto", "url=", "last"]);
        assert_eq!(value(line, &["opt"]).as_deref(), Some("a b"));
        assert_eq!(value(line, &["ks", "inst.ks"]), None);
        assert_eq!(value("url=http://a/b?k=c=d", &["url"]).as_deref(), Some("http://a/b?k=c=d"));
    }
}
