//! Loader configurations: from disk, or kernel and initrd from here.

use app::api::{MacAddr, PreseedType};

use super::cmdline;

/// Which loader's language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    Grub,
    Pxelinux,
}

/// What a machine needs to know to boot from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    pub machine: i64,
    pub name: String,
    /// Description for the people who watch the console.
    pub kernel: String,
    pub has_initrd: bool,
    /// All of the kernel's command line.
    pub options: String,
}

/// Why a machine is told to boot from its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalReason {
    UnknownMac,
    NetbootOff,
    NoKernel,
    /// The kernel's file is missing on the server's disk.
    KernelGone,
}

impl LocalReason {
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::UnknownMac => "no machine has this MAC",
            Self::NetbootOff => "netboot is off for this machine",
            Self::NoKernel => "no kernel is chosen for this machine",
            Self::KernelGone => "the kernel's file is missing on the server",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Netboot(Boot),
    Local(LocalReason),
}

/// The kernel options a preseed needs to be found by its installer.
#[must_use]
pub fn preseed_options(kind: PreseedType, url: &str, dns: &str) -> String {
    let with_dns = |options: String, name: &str| if dns.is_empty() { options } else { format!("{options} {name}={dns}") };
    match kind {
        PreseedType::Preseed => with_dns(format!("auto=true priority=critical url={url} interface=auto"), "netcfg/get_nameservers"),
        PreseedType::Kickstart => with_dns(format!("ks={url} kssendmac"), "dns"),
        PreseedType::Autoyast => with_dns(format!("autoyast={url}"), "nameserver"),
    }
}

/// GRUB's entry point. Debian's signed image reads `$prefix/grub.cfg` and nothing per machine, so this sends it on:
/// `net_default_mac` is set by GRUB from the card it booted from.
pub(super) const GRUB_ENTRY: &str = "\
# mr-provisioner: every machine's own configuration is at /mac/<MAC>/grub.cfg
if [ -n \"$net_default_mac\" ]; then
  configfile ($root)/mac/$net_default_mac/grub.cfg
fi
echo 'mr-provisioner: the loader does not know its MAC; booting from disk'
sleep 3
exit
";

/// The configuration that carries out a decision.
#[must_use]
pub fn loader_config(flavour: Flavour, mac: Option<&MacAddr>, decision: &Decision) -> String {
    match (flavour, decision) {
        (Flavour::Grub, Decision::Netboot(boot)) => grub_netboot(mac, boot),
        (Flavour::Grub, Decision::Local(reason)) => {
            format!("# mr-provisioner: {0}\necho 'mr-provisioner: {0}; booting from disk'\nexit\n", reason.text())
        }
        (Flavour::Pxelinux, Decision::Netboot(boot)) => pxelinux_netboot(boot),
        (Flavour::Pxelinux, Decision::Local(reason)) => format!(
            "# mr-provisioner: {0}\nSERIAL 0 115200\nDEFAULT local\nPROMPT 0\nLABEL local\n  SAY mr-provisioner: {0}; booting from disk\n  LOCALBOOT -1\n",
            reason.text()
        ),
    }
}

/// One line of plain characters, for comments and messages inside quotes.
fn spoken(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || " -._+/()".contains(c) { c } else { '?' }).collect()
}

fn grub_netboot(mac: Option<&MacAddr>, boot: &Boot) -> String {
    let Boot { machine, name, kernel, has_initrd, options } = boot;
    let (name, kernel) = (spoken(name), spoken(kernel));
    // what pxelinux' IPAPPEND 2 does: the installer then uses the card it was booted from
    let bootif = mac.map(|mac| format!("BOOTIF=01-{} ", mac.as_str().replace(':', "-"))).unwrap_or_default();
    let options = cmdline::for_grub(options);
    let initrd = if *has_initrd {
        format!("  echo 'mr-provisioner: fetching the initrd'\n  if initrd ($root)/m/{machine}/initrd; then boot; fi\n")
    } else {
        "  boot\n".to_owned()
    };
    format!(
        "# mr-provisioner: {name}\n\
         echo 'mr-provisioner: {name} boots {kernel}'\n\
         if linux ($root)/m/{machine}/linux {bootif}{options}; then\n\
         {initrd}\
         fi\n\
         echo 'mr-provisioner: the boot failed; leaving the loader in 10 s'\n\
         sleep 10\n\
         exit\n"
    )
}

fn pxelinux_netboot(boot: &Boot) -> String {
    let Boot { machine, name, kernel, has_initrd, options } = boot;
    let (name, kernel) = (spoken(name), spoken(kernel));
    let initrd = if *has_initrd { format!("  INITRD /m/{machine}/initrd\n") } else { String::new() };
    let options = cmdline::for_pxelinux(options);
    let append = if options.is_empty() { String::new() } else { format!("  APPEND {options}\n") };
    format!(
        "# mr-provisioner: {name}\nSERIAL 0 115200\nDEFAULT netboot\nPROMPT 0\nLABEL netboot\n  SAY mr-provisioner: {name} boots {kernel}\n  \
         KERNEL /m/{machine}/linux\n{initrd}  IPAPPEND 2\n{append}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boot() -> Decision {
        Decision::Netboot(Boot {
            machine: 12,
            name: "d05-1".into(),
            kernel: "linux-6.1 (known good)".into(),
            has_initrd: true,
            options: "auto=true url=http://10.0.0.1:8080/preseed/12?k=ab12 console=ttyS0,115200".into(),
        })
    }

    #[test]
    fn grub_boots_the_machines_own_kernel() {
        let mac = MacAddr::parse("52:54:00:77:00:01").unwrap();
        insta::assert_snapshot!(loader_config(Flavour::Grub, Some(&mac), &boot()), @r"
        # mr-provisioner: d05-1
        echo 'mr-provisioner: d05-1 boots linux-6.1 (known good)'
        if linux ($root)/m/12/linux BOOTIF=01-52-54-00-77-00-01 auto=true 'url=http://10.0.0.1:8080/preseed/12?k=ab12' console=ttyS0,115200; then
          echo 'mr-provisioner: fetching the initrd'
          if initrd ($root)/m/12/initrd; then boot; fi
        fi
        echo 'mr-provisioner: the boot failed; leaving the loader in 10 s'
        sleep 10
        exit
        ");
    }

    #[test]
    fn pxelinux_boots_the_machines_own_kernel() {
        insta::assert_snapshot!(loader_config(Flavour::Pxelinux, None, &boot()), @r"
        # mr-provisioner: d05-1
        SERIAL 0 115200
        DEFAULT netboot
        PROMPT 0
        LABEL netboot
          SAY mr-provisioner: d05-1 boots linux-6.1 (known good)
          KERNEL /m/12/linux
          INITRD /m/12/initrd
          IPAPPEND 2
          APPEND auto=true url=http://10.0.0.1:8080/preseed/12?k=ab12 console=ttyS0,115200
        ");
    }

    #[test]
    fn from_disk_is_said_in_both_languages() {
        for reason in [LocalReason::UnknownMac, LocalReason::NetbootOff, LocalReason::NoKernel, LocalReason::KernelGone] {
            let grub = loader_config(Flavour::Grub, None, &Decision::Local(reason));
            assert!(grub.ends_with("exit\n") && grub.contains(reason.text()), "{grub}");
            let pxelinux = loader_config(Flavour::Pxelinux, None, &Decision::Local(reason));
            assert!(pxelinux.ends_with("LOCALBOOT -1\n") && pxelinux.contains(reason.text()), "{pxelinux}");
        }
    }

    #[test]
    fn a_name_cannot_write_into_the_configuration() {
        let Decision::Netboot(mut boot) = boot() else { unreachable!() };
        boot.name = "x'; reboot\nLABEL evil".into();
        let text = loader_config(Flavour::Grub, None, &Decision::Netboot(boot));
        assert!(!text.contains("x'") && !text.contains("\nLABEL"), "{text}");
    }

    #[test]
    fn preseed_options_are_the_originals() {
        let url = "http://h/preseed/1?k=x";
        assert_eq!(preseed_options(PreseedType::Preseed, url, ""), format!("auto=true priority=critical url={url} interface=auto"));
        assert_eq!(
            preseed_options(PreseedType::Preseed, url, "9.9.9.9"),
            format!("auto=true priority=critical url={url} interface=auto netcfg/get_nameservers=9.9.9.9")
        );
        assert_eq!(preseed_options(PreseedType::Kickstart, url, "9.9.9.9"), format!("ks={url} kssendmac dns=9.9.9.9"));
        assert_eq!(preseed_options(PreseedType::Autoyast, url, "9.9.9.9"), format!("autoyast={url} nameserver=9.9.9.9"));
    }
}
