//! PXELINUX: its configuration file and what it does with one (syslinux.org, doc/syslinux.txt, doc/pxelinux.txt).

use std::net::IpAddr;

/// One parsed configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Config {
    /// The words after DEFAULT.
    pub(super) default: Option<String>,
    /// SAY and DISPLAY-less greetings, in order.
    pub(super) say: Vec<String>,
    /// Every LABEL, in order.
    pub(super) labels: Vec<Label>,
    append: Option<String>,
    ipappend: u32,
}

/// One LABEL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Label {
    /// Its name.
    pub(super) name: String,
    kernel: Option<String>,
    append: Option<String>,
    initrd: Option<String>,
    ipappend: Option<u32>,
    localboot: Option<i32>,
    menu_default: bool,
}

/// What to do for one boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Boot {
    /// Leave the boot to the firmware (LOCALBOOT and its argument).
    Local(i32),
    /// Load and start a kernel.
    Linux {
        /// As written.
        kernel: String,
        /// As written, in order.
        initrds: Vec<String>,
        /// The kernel's command line.
        cmdline: String,
    },
}

/// What IPAPPEND adds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    /// The machine's address.
    pub(super) client: IpAddr,
    /// The boot server's address.
    pub(super) server: IpAddr,
    /// Lower case, with colons.
    pub(super) mac: &'a str,
}

impl Config {
    /// Parses a configuration; lines PXELINUX does not know are skipped, as it does.
    #[must_use]
    pub(super) fn parse(text: &str) -> Self {
        let mut config = Self::default();
        let mut in_text = false;
        for line in text.lines() {
            let line = line.trim();
            let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let rest = rest.trim();
            let word = word.to_ascii_lowercase();
            if in_text {
                in_text = word != "endtext";
                continue;
            }
            if word == "text" {
                in_text = rest.eq_ignore_ascii_case("help");
                continue;
            }
            config.directive(&word, rest);
        }
        config
    }

    fn directive(&mut self, word: &str, rest: &str) {
        let text = || Some(rest.to_owned());
        match (word, self.labels.last_mut()) {
            ("default", _) => self.default = text(),
            ("say", _) => self.say.push(rest.to_owned()),
            ("label", _) => self.labels.push(Label { name: rest.to_owned(), ..Label::default() }),
            ("append", None) => self.append = text(),
            ("append", Some(label)) => label.append = text(),
            ("ipappend" | "sysappend", None) => self.ipappend = number(rest),
            ("ipappend" | "sysappend", Some(label)) => label.ipappend = Some(number(rest)),
            ("kernel" | "linux", Some(label)) => label.kernel = text(),
            ("initrd", Some(label)) => label.initrd = text(),
            ("localboot", Some(label)) => label.localboot = Some(rest.parse().unwrap_or(0)),
            ("menu", Some(label)) if rest.eq_ignore_ascii_case("default") => label.menu_default = true,
            _ => {}
        }
    }

    /// What is booted when nobody types; `None` when the file names nothing to boot.
    #[must_use]
    pub(super) fn boot(&self, facts: Facts<'_>) -> Option<Boot> {
        let command = match &self.default {
            Some(default) if !default.ends_with(".c32") => default.clone(),
            // "UI menu.c32" or DEFAULT menu.c32: the menu picks MENU DEFAULT, else its first entry
            _ => self.labels.iter().find(|label| label.menu_default).or(self.labels.first())?.name.clone(),
        };
        let (name, typed) = command.split_once(char::is_whitespace).unwrap_or((&command, ""));
        let implicit = Label { name: name.to_owned(), ..Label::default() };
        let label = self.labels.iter().find(|label| label.name.eq_ignore_ascii_case(name)).unwrap_or(&implicit);
        if let Some(kind) = label.localboot {
            return Some(Boot::Local(kind));
        }
        let append = label.append.as_ref().or(self.append.as_ref()).map_or("", String::as_str);
        let append = if append == "-" { "" } else { append };

        let mut initrds: Vec<String> = Vec::new();
        let mut words: Vec<String> = Vec::new();
        for word in append.split_whitespace().chain(typed.split_whitespace()) {
            match word.strip_prefix("initrd=") {
                // the last initrd= wins; it stays on the command line, which is where the kernel's boot protocol has it
                Some(list) => {
                    initrds = list.split(',').map(str::to_owned).collect();
                    words.push(word.to_owned());
                }
                None => words.push(word.to_owned()),
            }
        }
        if initrds.is_empty()
            && let Some(list) = &label.initrd
        {
            initrds = list.split(',').map(str::to_owned).collect();
            words.insert(0, format!("initrd={list}"));
        }
        let ipappend = label.ipappend.unwrap_or(self.ipappend);
        if ipappend & 1 != 0 {
            words.push(format!("ip={}:{}:{}:{}", facts.client, facts.server, facts.server, "255.0.0.0"));
        }
        if ipappend & 2 != 0 {
            words.push(format!("BOOTIF=01-{}", facts.mac.replace(':', "-")));
        }
        let kernel = label.kernel.clone().unwrap_or_else(|| label.name.clone());
        words.insert(0, format!("BOOT_IMAGE={kernel}"));
        Some(Boot::Linux { kernel, initrds, cmdline: words.join(" ") })
    }
}

fn number(text: &str) -> u32 {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.unwrap_or(0)
}

/// The configuration files PXELINUX asks for, best first: `01-<mac>`, the address in hex shortened digit by digit, `default`.
/// `directory` is that of the loader, empty or ending in `/`.
#[must_use]
pub(super) fn config_names(directory: &str, mac: &str, client: IpAddr, every_address: bool) -> Vec<String> {
    let mut names = vec![format!("{directory}pxelinux.cfg/01-{}", mac.replace(':', "-"))];
    if let (true, IpAddr::V4(client)) = (every_address, client) {
        let hex = format!("{:08X}", u32::from(client));
        names.extend((1..=8).rev().map(|len| format!("{directory}pxelinux.cfg/{}", &hex[..len])));
    }
    names.push(format!("{directory}pxelinux.cfg/default"));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: Facts<'static> = Facts {
        client: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        server: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        mac: "52:54:00:77:00:01",
    };

    #[test]
    fn a_netboot_configuration() {
        let config = Config::parse(
            "# made for x\nDEFAULT linux\nPROMPT 0\nTIMEOUT 1\n\nlabel linux\n  kernel images/k\n  ipappend 2\n  append initrd=images/i url=http://a/b c=\"d e\"\n",
        );
        let Some(Boot::Linux { kernel, initrds, cmdline }) = config.boot(FACTS) else { panic!("{config:?}") };
        assert_eq!(kernel, "images/k");
        assert_eq!(initrds, ["images/i"]);
        assert_eq!(cmdline, "BOOT_IMAGE=images/k initrd=images/i url=http://a/b c=\"d e\" BOOTIF=01-52-54-00-77-00-01");
    }

    #[test]
    fn a_local_boot() {
        let config = Config::parse("DEFAULT local\nLABEL local\nLOCALBOOT -1\n");
        assert_eq!(config.boot(FACTS), Some(Boot::Local(-1)));
    }

    #[test]
    fn globals_initrd_lines_and_menus() {
        let config = Config::parse(
            "UI menu.c32\nappend quiet\nLABEL a\nLINUX k1\nTEXT HELP\nLABEL no\nENDTEXT\nLABEL b\nMENU DEFAULT\nLINUX k2\nINITRD i1,i2\nLABEL c\nAPPEND -\n",
        );
        assert_eq!(config.labels.len(), 3);
        let expected = Boot::Linux {
            kernel: "k2".into(),
            initrds: vec!["i1".into(), "i2".into()],
            cmdline: "BOOT_IMAGE=k2 initrd=i1,i2 quiet".into(),
        };
        assert_eq!(config.boot(FACTS), Some(expected));
        assert_eq!(Config::parse("").boot(FACTS), None);
        let bare = Config::parse("default vmlinuz initrd=x y").boot(FACTS);
        assert!(matches!(bare, Some(Boot::Linux { kernel, .. }) if kernel == "vmlinuz"));
    }

    #[test]
    fn the_files_asked_for() {
        let names = config_names("", "52:54:00:77:00:01", "10.77.1.251".parse().unwrap(), true);
        assert_eq!(names[0], "pxelinux.cfg/01-52-54-00-77-00-01");
        assert_eq!(names[1], "pxelinux.cfg/0A4D01FB");
        assert_eq!(names[8], "pxelinux.cfg/0");
        assert_eq!(names[9], "pxelinux.cfg/default");
        assert_eq!(config_names("a/", "52:54:00:77:00:01", "10.77.1.251".parse().unwrap(), false).len(), 2);
    }
}
