//! What the pickers of a machine offer, and in which order.

use super::PreseedName;
use crate::{
    api::{Image, ImageType, Instant, Subarch},
    ui::Choice,
};

/// `linux (Debian 13 installer)`
pub(super) fn image_title(image: &Image) -> String {
    if image.description.is_empty() { image.filename.clone() } else { format!("{} ({})", image.filename, image.description) }
}

/// Images of one kind for one architecture, one's own first, then newest first.
pub(super) fn image_choices(images: &[Image], kind: ImageType, arch: &str, own: &str, day: impl Fn(&Instant) -> String) -> Vec<Choice> {
    let mut fitting: Vec<&Image> = images.iter().filter(|image| image.file_type == kind && image.arch == arch).collect();
    let foreign = |image: &Image| image.user.as_deref() != Some(own);
    fitting.sort_by(|a, b| foreign(a).cmp(&foreign(b)).then(b.upload_date.cmp(&a.upload_date)).then(b.id.cmp(&a.id)));
    fitting
        .into_iter()
        .map(|image| {
            let owner = image.user.as_deref().map(|user| format!(", {user}")).unwrap_or_default();
            let good = if image.known_good { " – known good" } else { "" };
            Choice::new(image.id, format!("{} – {}{owner}{good}", image_title(image), day(&image.upload_date)))
        })
        .collect()
}

/// One's own first, then newest first: ids grow.
pub(super) fn preseed_choices(preseeds: &[PreseedName], own: &str) -> Vec<Choice> {
    let mut sorted: Vec<&PreseedName> = preseeds.iter().collect();
    sorted.sort_by_key(|preseed| (preseed.user.as_deref() != Some(own), std::cmp::Reverse(preseed.id)));
    sorted
        .into_iter()
        .map(|preseed| {
            let description = if preseed.description.is_empty() { String::new() } else { format!(" ({})", preseed.description) };
            let good = if preseed.known_good { " – known good" } else { "" };
            let owner = preseed.user.as_deref().map(|user| format!(", {user}")).unwrap_or_default();
            Choice::new(preseed.id, format!("{}{description} – {}{owner}{good}", preseed.name, preseed.file_type.word()))
        })
        .collect()
}

/// By name, as the API lists them, with what keeps a machine from booting.
pub(super) fn subarch_choices(subarchs: &[Subarch]) -> Vec<Choice> {
    let note = |subarch: &Subarch| if subarch.bootloader_id.is_none() { " – no bootloader" } else { "" };
    subarchs.iter().map(|subarch| Choice::new(&subarch.name, format!("{}{}", subarch.name, note(subarch)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::machine::sample_image;

    fn image(id: i64, file_type: ImageType, arch: &str, date: &str) -> Image {
        Image { description: "Debian".into(), upload_date: Instant(date.into()), known_good: id == 3, ..sample_image(id, file_type, arch) }
    }

    #[test]
    fn a_picker_offers_fitting_images_ones_own_first_then_newest_first() {
        let images = [
            image(1, ImageType::Kernel, "arm64", "2026-11-20T00:00:00Z"),
            image(2, ImageType::Kernel, "x86_64", "2026-11-21T00:00:00Z"),
            image(3, ImageType::Kernel, "arm64", "2026-11-22T00:00:00Z"),
            image(4, ImageType::Initrd, "arm64", "2026-11-23T00:00:00Z"),
            Image { user: Some("bob".into()), ..image(5, ImageType::Kernel, "arm64", "2026-11-19T00:00:00Z") },
        ];
        let offered = |own| image_choices(&images, ImageType::Kernel, "arm64", own, Instant::day);
        let order = |own| offered(own).into_iter().map(|choice| choice.value).collect::<Vec<_>>();
        assert_eq!(order("carol"), ["3", "1", "5"]);
        assert_eq!(order("bob"), ["5", "3", "1"]);
        let offered = offered("alice");
        assert_eq!(offered[0].label, "linux (Debian) – 2026-11-22, alice – known good");
    }
}
