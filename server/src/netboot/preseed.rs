//! Preseeds are templates of users: rendered with limits, able to read nothing but their variables.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use minijinja::{Environment, ErrorKind, Output, State, UndefinedBehavior, Value};
use serde::{Deserialize, Serialize};

/// Instructions a template may run; a preseed of 2 MiB needs a few thousand.
const FUEL: u64 = 500_000;
/// Most bytes a rendered preseed may have.
const OUTPUT_LIMIT: usize = 4 * 1024 * 1024;
/// Deepest nesting of calls, macros and includes.
const RECURSION: usize = 64;

/// What a template can read (seed: `ssh_key`, `ssh_keys`, `hostname`, `interfaces`, `kernel`, `initrd`, `kernel_options`).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Variables {
    /// The first assignee's keys, or nothing.
    pub ssh_key: String,
    /// One text per assignee.
    pub ssh_keys: Vec<String>,
    pub hostname: String,
    /// Those with a static address.
    pub interfaces: Vec<InterfaceVariables>,
    pub kernel: Option<ImageVariables>,
    pub initrd: Option<ImageVariables>,
    pub kernel_options: String,
    /// Where the installed system says that it is up.
    pub phone_home_url: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InterfaceVariables {
    pub name: String,
    pub static_ipv4: String,
    pub prefix: u8,
    pub netmask: String,
    pub mac: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImageVariables {
    pub filename: String,
    pub description: String,
    pub known_good: bool,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    pub text: String,
    /// Variables that were printed but are not defined: rendered as nothing, to be told to the user.
    pub undefined: Vec<String>,
}

/// Why a template could not be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum PreseedError {
    #[error("Syntax error on preseed template: {message} - line: {line}")]
    Syntax { message: String, line: u32 },
    #[error("Exception raised while rendering preseed template: {message}")]
    Rendering { message: String, line: u32 },
}

impl PreseedError {
    /// What is wrong, without where.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::Syntax { message, .. } | Self::Rendering { message, .. } => message,
        }
    }

    /// Counted from 1; 0 when unknown.
    #[must_use]
    pub fn line(&self) -> u32 {
        match self {
            Self::Syntax { line, .. } | Self::Rendering { line, .. } => *line,
        }
    }
}

/// Renders a template. Fuel bounds its time, but not its memory: see [`super::sandbox`], where users' templates run.
///
/// # Errors
/// Syntax errors, failing expressions, and a template that ran out of fuel or room.
pub fn render(template: &str, variables: &Variables) -> Result<Rendered, PreseedError> {
    let undefined = Arc::new(Mutex::new(Vec::<String>::new()));
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION);
    // without it an error does not say which value is undefined
    environment.set_debug(true);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.set_formatter({
        let undefined = Arc::clone(&undefined);
        move |out: &mut Output, state: &mut State, value: &Value| {
            if value.is_undefined() {
                undefined.lock().unwrap_or_else(PoisonError::into_inner).push(String::new());
            }
            minijinja::escape_formatter(out, state, value)
        }
    });
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    let compiled = environment.template_from_str(template).map_err(|error| syntax(&error))?;
    // names the template reads that it does not set itself and that are none of ours
    let known: Vec<String> = ["ssh_key", "ssh_keys", "hostname", "interfaces", "kernel", "initrd", "kernel_options", "phone_home_url"]
        .map(str::to_owned)
        .to_vec();
    let mut unknown: Vec<String> = compiled
        .undeclared_variables(true)
        .into_iter()
        .filter(|path| {
            let root = path.split('.').next().unwrap_or(path);
            !known.iter().any(|name| name == root) && environment.globals().all(|(name, _)| name != root)
        })
        .collect();
    let mut out = Limited::default();
    let value = Value::from(minijinja::value::Serde(variables));
    let done = compiled.render_captured_to(value, &mut out).map(drop);
    if out.full {
        return Err(PreseedError::Rendering { message: format!("the result is larger than {OUTPUT_LIMIT} bytes"), line: 0 });
    }
    done.map_err(|error| PreseedError::Rendering { message: message(&error), line: line(&error) })?;
    let text = String::from_utf8(out.bytes).map_err(|_| PreseedError::Rendering { message: "the result is not UTF-8".into(), line: 0 })?;
    let printed = undefined.lock().unwrap_or_else(PoisonError::into_inner).len();
    if printed == 0 {
        // only tested or given a default: that is how a template asks whether something is there
        unknown.clear();
    } else {
        unknown.sort();
        if unknown.is_empty() {
            unknown.push("a member of a variable".into());
        }
    }
    Ok(Rendered { text, undefined: unknown })
}

/// Reads a template without rendering it. To be called where [`render`] may be.
///
/// # Errors
/// Syntax errors.
pub fn check(template: &str) -> Result<(), PreseedError> {
    Environment::new().template_from_str(template).map(drop).map_err(|error| syntax(&error))
}

fn syntax(error: &minijinja::Error) -> PreseedError {
    PreseedError::Syntax { message: message(error), line: line(error) }
}

fn line(error: &minijinja::Error) -> u32 {
    error.line().and_then(|line| u32::try_from(line).ok()).unwrap_or(0)
}

/// The error in words, without the template's text around it.
fn message(error: &minijinja::Error) -> String {
    if error.kind() == ErrorKind::OutOfFuel {
        return "the template runs too long".into();
    }
    match (error.kind(), error.detail()) {
        // "`gateway` is undefined"
        (ErrorKind::UndefinedError, Some(detail)) => detail.to_owned(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    }
}

/// Collects output up to the limit, then fails the rendering.
#[derive(Default)]
struct Limited {
    bytes: Vec<u8>,
    full: bool,
}

impl Write for Limited {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + data.len() > OUTPUT_LIMIT {
            self.full = true;
            return Err(io::Error::other("output limit"));
        }
        self.bytes.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        Variables {
            ssh_key: "ssh-ed25519 AAAA ann".into(),
            ssh_keys: vec!["ssh-ed25519 AAAA ann".into(), "ssh-ed25519 BBBB bob".into()],
            hostname: "d05-1".into(),
            interfaces: vec![InterfaceVariables {
                name: "eth0".into(),
                static_ipv4: "10.0.0.9".into(),
                prefix: 24,
                netmask: "255.255.255.0".into(),
                mac: "52:54:00:77:00:01".into(),
            }],
            kernel: Some(ImageVariables { filename: "ann/linux.1234abcd".into(), description: "6.1".into(), known_good: true }),
            initrd: None,
            kernel_options: "quiet".into(),
            phone_home_url: "http://10.0.0.1/api/v1/machine/1/phone-home?k=ab".into(),
        }
    }

    #[test]
    fn the_variables_of_the_original_are_there() {
        let template = "{{ hostname }} {{ ssh_key }} {{ ssh_keys|length }} {{ interfaces[0].static_ipv4 }}/{{ interfaces[0].prefix }} \
                        {{ interfaces[0].netmask }} {{ interfaces[0].mac }} {{ kernel.filename }} {{ kernel_options }}\n";
        let rendered = render(template, &variables()).unwrap();
        assert_eq!(rendered.text, "d05-1 ssh-ed25519 AAAA ann 2 10.0.0.9/24 255.255.255.0 52:54:00:77:00:01 ann/linux.1234abcd quiet");
        assert_eq!(rendered.undefined, [""; 0]);
    }

    #[test]
    fn python_methods_work() {
        let rendered = render("{{ hostname.upper() }} {{ ssh_key.split(' ')[2] }}", &variables()).unwrap();
        assert_eq!(rendered.text, "D05-1 ann");
    }

    #[test]
    fn an_undefined_variable_is_empty_and_reported() {
        let rendered = render("a{{ gateway }}b", &variables()).unwrap();
        assert_eq!(rendered.text, "ab");
        assert_eq!(rendered.undefined, ["gateway"]);
    }

    #[test]
    fn a_default_or_a_test_is_no_use_of_an_undefined_variable() {
        let rendered =
            render("{{ gateway|default('none') }}{% if dns %}x{% endif %}{{ initrd.filename|default('-') }}", &variables()).unwrap();
        assert_eq!(rendered.text, "none-");
        assert_eq!(rendered.undefined, [""; 0]);
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        let error = render("ok\n{% if %}\n", &variables()).unwrap_err();
        assert_eq!(error.line(), 2);
        assert!(matches!(error, PreseedError::Syntax { .. }), "{error}");
    }

    #[test]
    fn an_undefined_value_that_stops_the_rendering_is_named() {
        let error = render("ok\n{{ nothing.here }}\n", &variables()).unwrap_err();
        assert_eq!((error.message(), error.line()), ("`nothing` is undefined", 2));
    }

    #[test]
    fn a_check_finds_what_cannot_be_read_and_nothing_else() {
        assert_eq!(check("{{ nothing.here }} {{ 1 // 0 }}"), Ok(()));
        let error = check("ok\n{% if %}\n").unwrap_err();
        assert_eq!((error.message(), error.line()), ("syntax error: unexpected end of block", 2));
    }

    #[test]
    fn a_template_that_loops_is_stopped() {
        let error = render("{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}", &variables()).unwrap_err();
        assert!(matches!(error, PreseedError::Rendering { .. }), "{error}");
        let error = render("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", &variables()).unwrap_err();
        assert!(matches!(error, PreseedError::Rendering { .. }), "{error}");
    }

    #[test]
    fn a_template_that_asks_for_a_gigabyte_gets_an_error() {
        for template in [
            "{{ 'x' * 1000000000 }}",
            "{% set x = 'x' * 1000000 %}{% for i in range(1100) %}{{ x }}{% endfor %}",
            "{{ range(1000000000)|list }}",
        ] {
            let error = render(template, &variables()).unwrap_err();
            assert!(matches!(error, PreseedError::Rendering { .. }), "{template}: {error}");
        }
    }

    #[test]
    fn a_template_reads_nothing_but_its_variables() {
        for template in ["{% include '/etc/passwd' %}", "{% import 'os' as os %}{{ os }}", "{% extends 'x' %}"] {
            assert!(render(template, &variables()).is_err(), "{template}");
        }
        let rendered = render("{{ ''.__class__ }}{{ self }}{{ config }}", &variables());
        if let Ok(rendered) = rendered {
            assert!(!rendered.text.contains("class"), "{}", rendered.text);
        }
    }
}
