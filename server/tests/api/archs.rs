//! Architectures and their boot flavours.

use app::api::{Arch, Image, Subarch};
use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    fixtures::{arch, machine, statuses, subarch, upload},
    support::TestApp,
};

#[tokio::test]
async fn flavours_are_listed_with_their_architecture() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        let arm: Arch = admin.post("/arch", &json!({ "name": "arm64", "description": "ARM" })).await.created();
        let uefi = subarch(&admin, &x86, "uefi").await;
        let bios: Subarch = admin.post(&format!("/arch/{}/subarch", x86.id), &json!({ "name": "bios", "efiboot": false })).await.created();
        assert!(uefi.bootloader.as_deref().unwrap().starts_with("admin/loader.efi."));
        let all: Vec<Arch> = app.user("ann").await.get("/arch").await.ok();
        assert_eq!(all.iter().map(|arch| arch.name.as_str()).collect::<Vec<_>>(), ["arm64", "x86_64"]);
        assert_eq!((all[0].id, all[0].description.as_str(), all[0].subarchs.len()), (arm.id, "ARM", 0));
        assert_eq!(all[1].subarchs, [bios, uefi]);
        assert_eq!(admin.get(&format!("/arch/{}", x86.id)).await.ok::<Arch>(), all[1]);
    }
}

#[tokio::test]
async fn everybody_reads_admins_change() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let ann = app.user("ann").await;
        let x86 = arch(&admin, "x86_64").await;
        let bios: Subarch = admin.post(&format!("/arch/{}/subarch", x86.id), &json!({ "name": "bios" })).await.created();
        let requests = [
            (Method::GET, "/arch".into(), json!(null)),
            (Method::POST, "/arch".into(), json!({ "name": "arm64" })),
            (Method::PUT, format!("/arch/{}", x86.id), json!({ "name": "amd64" })),
            (Method::POST, format!("/arch/{}/subarch", x86.id), json!({ "name": "uefi" })),
            (Method::PUT, format!("/arch/{}/subarch/{}", x86.id, bios.id), json!({ "name": "pc" })),
            (Method::DELETE, format!("/arch/{}/subarch/{}", x86.id, bios.id), json!(null)),
            (Method::DELETE, format!("/arch/{}", x86.id), json!(null)),
        ];
        assert_eq!(statuses(&app.anonymous(), &requests).await, [401; 7]);
        assert_eq!(statuses(&ann, &requests).await, [200, 403, 403, 403, 403, 403, 403]);
        assert_eq!(statuses(&admin, &requests).await, [200, 201, 200, 201, 200, 204, 204]);
        assert_eq!(statuses(&admin, &requests[2..]).await, [404; 5]);
    }
}

#[tokio::test]
async fn b24_names_are_unique_and_faults_told() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        let arm = arch(&admin, "arm64").await;
        let path = format!("/arch/{}/subarch", x86.id);
        let bios: Subarch = admin.post(&path, &json!({ "name": "bios" })).await.created();
        admin.post(&path, &json!({ "name": "uefi" })).await.created::<Subarch>();
        // the same name under another architecture is another flavour
        admin.post(&format!("/arch/{}/subarch", arm.id), &json!({ "name": "uefi" })).await.created::<Subarch>();
        let taken = "the architecture has a subarchitecture with this name already";
        assert_eq!(admin.post(&path, &json!({ "name": "uefi" })).await.error(409).detail, taken);
        assert_eq!(admin.put(&format!("{path}/{}", bios.id), &json!({ "name": "uefi" })).await.error(409).detail, taken);
        let taken = "an architecture with this name exists already";
        assert_eq!(admin.post("/arch", &json!({ "name": "arm64" })).await.error(409).detail, taken);
        assert_eq!(admin.put(&format!("/arch/{}", x86.id), &json!({ "name": "arm64" })).await.error(409).detail, taken);
        let short = admin.post(&path, &json!({ "name": "x" })).await.error(400).detail;
        assert_eq!(short, "Subarchitecture name must be between 2 and 256 characters long");
        // a flavour is not found under another architecture
        admin.put(&format!("/arch/{}/subarch/{}", arm.id, bios.id), &json!({ "name": "bios" })).await.error(404);
    }
}

#[tokio::test]
async fn a_bootloader_is_one_of_its_architecture() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        arch(&admin, "arm64").await;
        let kernel = upload(&admin, "Kernel", "x86_64", "linux", b"k").await;
        let arm = upload(&admin, "bootloader", "arm64", "grubaa64.efi", b"a").await;
        let path = format!("/arch/{}/subarch", x86.id);
        for (id, sentence) in [
            (999, "no such bootloader"),
            (kernel.id, "Specified image is not a bootloader"),
            (arm.id, "Bootloader architecture must match architecture"),
        ] {
            assert_eq!(admin.post(&path, &json!({ "name": "uefi", "bootloader_id": id })).await.error(400).detail, sentence);
        }
        let uefi = subarch(&admin, &x86, "uefi").await;
        // absent it stays, null takes it away
        let now: Subarch = admin.put(&format!("{path}/{}", uefi.id), &json!({ "name": "uefi", "efiboot": true })).await.ok();
        assert_eq!((now.bootloader_id, now.efiboot), (uefi.bootloader_id, true));
        let now: Subarch = admin.put(&format!("{path}/{}", uefi.id), &json!({ "name": "uefi", "bootloader_id": null })).await.ok();
        assert_eq!((now.bootloader_id, now.bootloader), (None, None));
    }
}

#[tokio::test]
async fn b8_a_bootloader_machines_boot_with_stays() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        let uefi = subarch(&admin, &x86, "uefi").await;
        let made = machine(&admin, "m1").await;
        let at = format!("/machine/{}", made.id);
        admin.put(&at, &json!({ "subarch": "uefi", "netboot_enabled": true })).await.ok::<Value>();
        let path = format!("/arch/{}/subarch/{}", x86.id, uefi.id);
        let without = json!({ "name": "uefi", "bootloader_id": null });
        assert_eq!(admin.put(&path, &without).await.error(409).detail, "the bootloader of uefi is in use by machine m1");
        // nor can the image become something else, or go
        let image = format!("/image/{}", uefi.bootloader_id.unwrap());
        assert!(admin.put(&image, &json!({ "type": "Kernel" })).await.error(409).detail.contains("subarch uefi as bootloader"));
        arch(&admin, "arm64").await;
        assert!(admin.put(&image, &json!({ "arch": "arm64" })).await.error(409).detail.contains("subarch uefi as bootloader"));
        assert!(admin.delete(&image).await.error(409).detail.contains("subarch uefi as bootloader"));
        admin.put(&at, &json!({ "netboot_enabled": false })).await.ok::<Value>();
        admin.put(&path, &without).await.ok::<Subarch>();
        admin.delete(&image).await.no_content();
    }
}

#[tokio::test]
async fn b14_what_is_used_cannot_go() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        let made = machine(&admin, "m1").await;
        let image: Image = upload(&admin, "Kernel", "x86_64", "linux", b"k").await;
        let bios: Subarch = admin.post(&format!("/arch/{}/subarch", x86.id), &json!({ "name": "bios" })).await.created();
        admin.put(&format!("/machine/{}", made.id), &json!({ "subarch": "bios" })).await.ok::<Value>();
        let refused = admin.delete(&format!("/arch/{}", x86.id)).await.error(409);
        assert_eq!(refused.detail, format!("architecture x86_64 is in use by image {}, machine m1", image.name));
        let path = format!("/arch/{}/subarch/{}", x86.id, bios.id);
        assert_eq!(admin.delete(&path).await.error(409).detail, "subarchitecture bios is in use by machine m1");
        admin.delete(&format!("/image/{}", image.id)).await.no_content();
        admin.delete(&format!("/machine/{}", made.id)).await.no_content();
        // flavours go with it
        admin.delete(&format!("/arch/{}", x86.id)).await.no_content();
        assert!(admin.get("/arch").await.ok::<Vec<Arch>>().is_empty());
    }
}
