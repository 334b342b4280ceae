//! What a requested path means. Loaders differ in the folder they prepend (`/grub`, `/debian-installer/amd64/grub`,
//! the folder the loader itself came from), so only a path's end decides.

use app::api::MacAddr;

use super::loader::Flavour;

/// A request of a booting machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// GRUB's first configuration. Debian's signed image asks for nothing else: it must send the machine on by itself.
    GrubEntry,
    /// A loader's configuration for the machine with this MAC.
    MachineConfig(Flavour, MacAddr),
    /// What pxelinux asks last, when nothing more specific was found.
    PxelinuxDefault,
    /// What GRUB Legacy for EFI asks last.
    EfiDefault,
    /// The kernel of a machine, by the machine's id.
    Kernel(i64),
    /// The initrd of a machine.
    Initrd(i64),
    /// A file by name: an uploaded image or one of the loader folders. Never absolute, no `.` or `..` in it.
    File(String),
    /// No file we would ever have; why, in words for the log.
    Refused(&'static str),
}

/// Longest path looked at. TFTP itself sets no limit; what loaders ask for is shorter than 200.
const LONGEST: usize = 1024;

impl Ask {
    /// Never fails: what cannot be is [`Ask::Refused`].
    #[must_use]
    pub fn parse(path: &str) -> Self {
        if path.len() > LONGEST {
            return Self::Refused("the name is too long");
        }
        if path.chars().any(char::is_control) {
            return Self::Refused("the name has control characters");
        }
        // firmware on Windows-minded networks sends backslashes
        let path = path.replace('\\', "/");
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.is_empty() {
            return Self::Refused("the name is empty");
        }
        if parts.contains(&"..") {
            return Self::Refused("the name leaves the served folder");
        }
        match parts[..] {
            [.., "pxelinux.cfg", "default"] => return Self::PxelinuxDefault,
            [.., "efidefault"] => return Self::EfiDefault,
            [.., "pxelinux.cfg", name] => {
                return match name.strip_prefix("01-").map(MacAddr::parse) {
                    Some(Ok(mac)) => Self::MachineConfig(Flavour::Pxelinux, mac),
                    // pxelinux goes on from its UUID to its MAC, and from the MAC to its address and to `default`
                    _ => Self::Refused("no configuration by UUID or address"),
                };
            }
            [.., "mac", mac, "grub.cfg"] => {
                return MacAddr::parse(mac).map_or(Self::Refused("not a MAC"), |mac| Self::MachineConfig(Flavour::Grub, mac));
            }
            [.., "m", machine, file] => {
                if let Ok(machine) = machine.parse() {
                    match file {
                        "linux" => return Self::Kernel(machine),
                        "initrd" => return Self::Initrd(machine),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        let last = parts[parts.len() - 1];
        if last == "grub.cfg" {
            return Self::GrubEntry;
        }
        if let Some(rest) = last.strip_prefix("grub.cfg-") {
            // GRUB from grub-mknetdir asks by MAC, then by ever shorter address, then for `grub.cfg`
            return match rest.strip_prefix("01-").map(MacAddr::parse) {
                Some(Ok(mac)) => Self::MachineConfig(Flavour::Grub, mac),
                _ => Self::Refused("no configuration by address"),
            };
        }
        // the original's form: `grub/01-aa-bb-cc-dd-ee-ff`
        if let Some(Ok(mac)) = last.strip_prefix("01-").map(MacAddr::parse) {
            return Self::MachineConfig(Flavour::Grub, mac);
        }
        Self::File(parts.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac() -> MacAddr {
        MacAddr::parse("52:54:00:77:00:01").unwrap()
    }

    #[test]
    fn what_pxelinux_asks_for_in_its_order() {
        assert_eq!(Ask::parse("pxelinux.0"), Ask::File("pxelinux.0".into()));
        assert_eq!(Ask::parse("ldlinux.c32"), Ask::File("ldlinux.c32".into()));
        assert!(matches!(Ask::parse("pxelinux.cfg/6c6f6361-6c00-4000-8000-525400770001"), Ask::Refused(_)));
        assert_eq!(Ask::parse("pxelinux.cfg/01-52-54-00-77-00-01"), Ask::MachineConfig(Flavour::Pxelinux, mac()));
        assert!(matches!(Ask::parse("pxelinux.cfg/0A4D01FB"), Ask::Refused(_)));
        assert_eq!(Ask::parse("pxelinux.cfg/default"), Ask::PxelinuxDefault);
        assert_eq!(Ask::parse("/m/12/linux"), Ask::Kernel(12));
        assert_eq!(Ask::parse("m/12/initrd"), Ask::Initrd(12));
    }

    #[test]
    fn what_grub_asks_for() {
        assert_eq!(Ask::parse("/grub/grub.cfg"), Ask::GrubEntry);
        assert_eq!(Ask::parse("/debian-installer/amd64/grub/grub.cfg"), Ask::GrubEntry);
        assert_eq!(Ask::parse("/mac/52:54:00:77:00:01/grub.cfg"), Ask::MachineConfig(Flavour::Grub, mac()));
        assert_eq!(Ask::parse("/boot/grub/grub.cfg-01-52-54-00-77-00-01"), Ask::MachineConfig(Flavour::Grub, mac()));
        assert_eq!(Ask::parse("/grub/01-52-54-00-77-00-01"), Ask::MachineConfig(Flavour::Grub, mac()));
        assert_eq!(Ask::parse("/grub/efidefault"), Ask::EfiDefault);
        assert!(matches!(Ask::parse("/boot/grub/grub.cfg-0A4D01FD"), Ask::Refused(_)));
        assert_eq!(Ask::parse("/grub/x86_64-efi/command.lst"), Ask::File("grub/x86_64-efi/command.lst".into()));
    }

    #[test]
    fn hostile_names_are_refused() {
        for path in ["../../etc/passwd", "/../etc/shadow", "a/../../b", "..\\..\\boot.ini", "", "/", "a\0b", "a\nb"] {
            assert!(matches!(Ask::parse(path), Ask::Refused(_)), "{path:?}");
        }
        assert!(matches!(Ask::parse(&"a".repeat(10_000)), Ask::Refused(_)));
        // an absolute path is one below the served folder, as every TFTP server has it
        assert_eq!(Ask::parse("/etc/passwd"), Ask::File("etc/passwd".into()));
    }
}
