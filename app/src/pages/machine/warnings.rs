//! What a user should know before the machine is booted from the network: told before, not found out after.

use super::PreseedName;
use crate::api::{Arch, Image, ImageType, Machine, Subarch};

/// A sentence, and whether provisioning cannot work because of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Warning {
    pub(super) fatal: bool,
    pub(super) text: String,
}

fn fatal(text: impl Into<String>) -> Warning {
    Warning { fatal: true, text: text.into() }
}

fn doubtful(text: impl Into<String>) -> Warning {
    Warning { fatal: false, text: text.into() }
}

pub(super) fn subarch_of<'a>(machine: &Machine, archs: &'a [Arch]) -> Option<&'a Subarch> {
    let arch = archs.iter().find(|arch| arch.id == machine.arch_id)?;
    arch.subarchs.iter().find(|subarch| Some(subarch.id) == machine.subarch_id)
}

/// Everything that stands in the way, the worst first.
pub(super) fn warnings(machine: &Machine, archs: &[Arch], images: &[Image], preseeds: &[PreseedName]) -> Vec<Warning> {
    let mut out = Vec::new();
    if machine.bmc_id.is_none() {
        out.push(fatal("There is no BMC: the machine cannot be switched on from here."));
    }
    if machine.macs.is_empty() {
        out.push(fatal("There is no interface: nothing tells this machine's requests from another's. Add its MAC address below."));
    }
    match subarch_of(machine, archs) {
        None => out.push(fatal("There is no subarchitecture: it says which bootloader the machine is given.")),
        Some(subarch) if subarch.bootloader_id.is_none() => {
            out.push(fatal(format!("Subarchitecture {} has no bootloader, so the machine would be given none.", subarch.name)));
        }
        Some(_) => {}
    }
    match machine.kernel_id {
        None => out.push(fatal("There is no kernel: the machine would be told to boot from its disk.")),
        Some(id) => out.extend(image_warning(machine, images, id, ImageType::Kernel)),
    }
    match machine.initrd_id {
        None => out.push(doubtful("There is no initrd. Installers need one.")),
        Some(id) => out.extend(image_warning(machine, images, id, ImageType::Initrd)),
    }
    match machine.preseed_id {
        None => out.push(doubtful("There is no preseed: the installer will ask its questions on the console.")),
        Some(id) if !preseeds.iter().any(|preseed| preseed.id == id) => {
            out.push(doubtful("The preseed is another user's private one."));
        }
        Some(_) => {}
    }
    out.sort_by_key(|warning| !warning.fatal);
    out
}

fn image_warning(machine: &Machine, images: &[Image], id: i64, kind: ImageType) -> Option<Warning> {
    let word = kind.word().to_ascii_lowercase();
    let Some(image) = images.iter().find(|image| image.id == id) else {
        return Some(doubtful(format!("The {word} is another user's private one.")));
    };
    if image.arch != machine.arch {
        return Some(fatal(format!("The {word} is for {}, the machine is {}.", image.arch, machine.arch)));
    }
    (image.file_type != kind).then(|| fatal(format!("{} is not of type {}.", image.filename, kind.word())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::PreseedType,
        pages::machine::{sample, sample_image},
    };

    fn archs(bootloader_id: Option<i64>) -> Vec<Arch> {
        let subarch = Subarch { id: 1, name: "efi".into(), description: String::new(), bootloader_id, bootloader: None, efiboot: true };
        vec![Arch { id: 1, name: "arm64".into(), description: String::new(), subarchs: vec![subarch] }]
    }

    fn images() -> Vec<Image> {
        vec![sample_image(1, ImageType::Kernel, "arm64"), sample_image(2, ImageType::Initrd, "arm64")]
    }

    fn preseeds() -> Vec<PreseedName> {
        vec![PreseedName {
            id: 1,
            name: "p".into(),
            description: String::new(),
            file_type: PreseedType::Preseed,
            known_good: true,
            user: None,
        }]
    }

    #[test]
    fn a_machine_with_everything_has_no_warning() {
        let machine = Machine { preseed_id: Some(1), ..sample() };
        assert_eq!(warnings(&machine, &archs(Some(9)), &images(), &preseeds()), []);
    }

    #[test]
    fn what_cannot_work_stands_first() {
        let machine = Machine { kernel_id: None, initrd_id: None, bmc_id: None, macs: Vec::new(), subarch_id: None, ..sample() };
        let found = warnings(&machine, &archs(Some(9)), &images(), &preseeds());
        let fatal: Vec<bool> = found.iter().map(|warning| warning.fatal).collect();
        assert_eq!(fatal, [true, true, true, true, false, false]);
    }

    #[test]
    fn a_subarchitecture_without_bootloader_is_named() {
        let machine = Machine { preseed_id: Some(1), ..sample() };
        let found = warnings(&machine, &archs(None), &images(), &preseeds());
        assert_eq!(found, [fatal("Subarchitecture efi has no bootloader, so the machine would be given none.")]);
    }

    #[test]
    fn images_of_another_kind_or_architecture_are_refused_in_words() {
        let machine = Machine { preseed_id: Some(7), kernel_id: Some(3), initrd_id: Some(1), ..sample() };
        let mut images = images();
        images.push(sample_image(3, ImageType::Kernel, "x86_64"));
        let found = warnings(&machine, &archs(Some(9)), &images, &preseeds());
        assert_eq!(
            found,
            [
                fatal("The kernel is for x86_64, the machine is arm64."),
                fatal("linux is not of type Initrd."),
                doubtful("The preseed is another user's private one."),
            ]
        );
    }
}
