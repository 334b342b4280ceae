//! What the pickers of a machine offer, and in which order.

use super::PreseedName;
use crate::{
    api::{Bmc, BmcType, Image, ImageType, Instant, Subarch},
    ui::{Choice, natural},
};

/// IPMI over LAN, unless said otherwise.
const PORT: u16 = 623;

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

/// The machines behind a BMC, without the one that is edited, when they should be one at most: a chassis has many.
fn others(bmc: &Bmc, edited: Option<i64>) -> Vec<&str> {
    let all = bmc.machine_ids.iter().zip(&bmc.machines).filter(|(id, _)| Some(**id) != edited);
    all.filter(|_| bmc.bmc_type == BmcType::Plain).map(|(_, name)| name.as_str()).collect()
}

/// By name, with their addresses, and whose they are: `x-bmc (10.0.0.1:6230), of arm64-6`. `edited` is the machine that is to have one.
pub(in crate::pages) fn bmc_choices(bmcs: &[Bmc], edited: Option<i64>) -> Vec<Choice> {
    let mut sorted: Vec<&Bmc> = bmcs.iter().collect();
    sorted.sort_by(|a, b| natural(&a.name, &b.name));
    let label = |bmc: &Bmc| {
        let address = match (bmc.port, bmc.ip.contains(':')) {
            (PORT, _) => bmc.ip.clone(),
            (port, false) => format!("{}:{port}", bmc.ip),
            (port, true) => format!("[{}]:{port}", bmc.ip),
        };
        // an address is told to administrators only
        let address = if bmc.ip.is_empty() { String::new() } else { format!(" ({address})") };
        let others = others(bmc, edited);
        let of = if others.is_empty() { String::new() } else { format!(", of {}", others.join(", ")) };
        format!("{}{address}{of}", bmc.name)
    };
    sorted.into_iter().map(|bmc| Choice::new(bmc.id, label(bmc))).collect()
}

/// What is to be said of the chosen BMC when it is another machine's already. The API allows it.
pub(in crate::pages) fn bmc_warning(bmcs: &[Bmc], chosen: &str, edited: Option<i64>) -> Option<String> {
    let bmc = bmcs.iter().find(|bmc| bmc.id.to_string() == chosen)?;
    let others = others(bmc, edited);
    let machines = if others.len() == 1 { "machine" } else { "machines" };
    (!others.is_empty()).then(|| {
        format!(
            "{} is the BMC of {machines} {} already: switching one switches the other, and they share a console.",
            bmc.name,
            others.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::machine::sample_image;

    fn bmc(id: i64, name: &str, ip: &str, port: u16, kind: &str, machines: &str) -> Bmc {
        let text = format!(
            r#"{{"id": {id}, "name": "{name}", "ip": "{ip}", "port": {port}, "type": "{kind}", "backend": "native", "quirks": [],
            "username": "", "has_password": false, "privilege_level": "admin", "has_key": false, "cipher_suite": null,
            "health": {{"reachable": null, "last_answer": null, "error": null}}, {machines}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_bmc_that_is_taken_is_told_with_whose_it_is() {
        let none = r#""machines": [], "machine_ids": []"#;
        let bmcs = [
            bmc(1, "b10", "10.0.0.1", 623, "plain", r#""machines": ["arm64-6"], "machine_ids": [6]"#),
            bmc(2, "b9", "10.0.0.1", 6230, "plain", none),
            bmc(3, "b11", "::1", 6230, "plain", none),
            bmc(4, "chassis", "10.0.0.2", 623, "moonshot", r#""machines": ["c1"], "machine_ids": [7]"#),
            bmc(5, "hidden", "", 623, "plain", none),
        ];
        let labels = |edited| bmc_choices(&bmcs, edited).into_iter().map(|choice| choice.label).collect::<Vec<_>>();
        let expected = ["b9 (10.0.0.1:6230)", "b10 (10.0.0.1), of arm64-6", "b11 ([::1]:6230)", "chassis (10.0.0.2)", "hidden"];
        assert_eq!(labels(None), expected);
        assert_eq!(labels(Some(6))[1], "b10 (10.0.0.1)");
        assert!(bmc_warning(&bmcs, "1", Some(5)).unwrap().starts_with("b10 is the BMC of machine arm64-6 already"));
        for (chosen, edited) in [("1", Some(6)), ("2", None), ("4", None), ("", None)] {
            assert_eq!(bmc_warning(&bmcs, chosen, edited), None, "{chosen}");
        }
    }

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
