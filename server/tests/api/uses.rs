//! What is used is not deleted, unless an admin says what its users get instead.

use app::api::{Arch, Bmc, Image, Interface, Machine, Me, Network, Preseed, User};
use serde_json::json;

use crate::{
    fixtures::{Form, arch, assign, interface, machine, network, preseed, subarch, upload},
    support::{Client, TestApp},
};

async fn get<T: serde::de::DeserializeOwned>(client: &Client, path: &str) -> T {
    client.get(path).await.ok()
}

#[tokio::test]
async fn b14_the_users_are_listed_for_programs_too() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        let flavour = subarch(&admin, &x86, "uefi").await;
        let made = machine(&admin, "m1").await;
        let kernel = upload(&admin, "Kernel", "x86_64", "vmlinuz", b"kernel").await;
        admin.put(&format!("/machine/{}", made.id), &json!({ "kernel_id": kernel.id, "subarch": "uefi" })).await.ok::<Machine>();
        let loader = flavour.bootloader_id.unwrap();
        for (path, kind, role, id, name) in [
            (format!("/image/{}", kernel.id), "machine", "kernel", made.id, "m1"),
            (format!("/image/{loader}"), "subarch", "bootloader", flavour.id, "uefi"),
            (format!("/arch/{}/subarch/{}", x86.id, flavour.id), "machine", "subarch", made.id, "m1"),
        ] {
            let refused = admin.delete(&path).await.error(409);
            assert_eq!(refused.error_type, "InUse");
            let by = &refused.in_use_by[0];
            assert_eq!((by.kind.as_str(), by.role.as_str(), by.id, by.name.as_str()), (kind, role, id, name), "{path}");
            assert!(refused.detail.contains(name));
        }
        // other errors have no such list
        assert!(!admin.delete("/image/999").await.text().contains("in_use_by"));
    }
}

#[tokio::test]
async fn detached_users_go_on_without() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let x86 = arch(&admin, "x86_64").await;
        let flavour = subarch(&admin, &x86, "uefi").await;
        let lab = network(&admin).await;
        let bmc: Bmc = admin.post("/bmc", &json!({ "name": "bmc1", "ip": "127.0.0.1", "type": "plain" })).await.created();
        let new = json!({ "name": "m1", "arch": "x86_64", "subarch": "uefi", "bmc_id": bmc.id });
        let made: Machine = admin.post("/machine", &new).await.created();
        let nic = interface(&admin, &made, "52:54:00:00:00:01", Some(&lab)).await;
        let kernel = upload(&admin, "Kernel", "x86_64", "vmlinuz", b"kernel").await;
        let answers = preseed(&admin, "answers").await;
        let path = format!("/machine/{}", made.id);
        admin.put(&path, &json!({ "kernel_id": kernel.id, "preseed_id": answers.id })).await.ok::<Machine>();
        let address = json!({ "config_type_v4": "static", "configured_ipv4": "auto" });
        admin.put(&format!("{path}/interface/{}", nic.id), &address).await.ok::<Interface>();

        for thing in [
            format!("/image/{}?detach=true", kernel.id),
            format!("/preseed/{}?detach=true", answers.id),
            format!("/bmc/{}?detach=true", bmc.id),
            format!("/network/{}?detach=TRUE", lab.id),
            format!("/arch/{}/subarch/{}?detach=true", x86.id, flavour.id),
        ] {
            admin.delete(&thing).await.no_content();
        }
        let now: Machine = get(&admin, &path).await;
        assert_eq!((now.kernel_id, now.preseed_id, now.bmc_id, now.subarch_id), (None, None, None, None));
        let nic: Interface = get(&admin, &format!("{path}/interface/{}", nic.id)).await;
        assert_eq!((nic.network_id, nic.configured_ipv4), (None, None), "B6: no address without its network");
        // a machine cannot be without an architecture
        assert_eq!(admin.delete(&format!("/arch/{}?detach=true", x86.id)).await.error(409).error_type, "InUse");
    }
}

#[tokio::test]
async fn users_may_be_given_another() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        let (x86, amd64) = (arch(&admin, "x86_64").await, arch(&admin, "amd64").await);
        subarch(&admin, &x86, "uefi").await;
        let target = subarch(&admin, &amd64, "uefi").await;
        let made: Machine = admin.post("/machine", &json!({ "name": "m1", "arch": "x86_64", "subarch": "uefi" })).await.created();
        let path = format!("/machine/{}", made.id);
        let old = upload(&admin, "Kernel", "x86_64", "6.11", b"old").await;
        let new = upload(&admin, "Kernel", "x86_64", "6.12", b"new").await;
        let initrd = upload(&admin, "Initrd", "x86_64", "initrd", b"initrd").await;
        admin.put(&path, &json!({ "kernel_id": old.id, "netboot_enabled": true })).await.ok::<Machine>();
        for (wrong, sentence) in [
            (format!("/image/{}?replace_with={}", old.id, initrd.id), "must be of its type"),
            (format!("/image/{}?replace_with={}", old.id, old.id), "cannot take its own place"),
            (format!("/image/{}?replace_with=999", old.id), "no such image"),
            (format!("/image/{}?replace_with={}&detach=true", old.id, new.id), "exclude each other"),
            (format!("/image/{}?replace_with=x", old.id), "invalid"),
        ] {
            assert!(admin.delete(&wrong).await.error(400).detail.contains(sentence), "{wrong}");
        }
        admin.delete(&format!("/image/{}?replace_with={}", old.id, new.id)).await.no_content();
        assert_eq!(get::<Machine>(&admin, &path).await.kernel_id, Some(new.id));

        // B8: who boots from the network keeps a bootloader, whatever goes
        let loader = get::<Vec<Arch>>(&admin, "/arch").await[1].subarchs[0].bootloader_id.unwrap();
        assert_eq!(admin.delete(&format!("/image/{loader}?detach=true")).await.error(409).error_type, "InUse");
        admin.delete(&format!("/arch/{}?replace_with={}", x86.id, amd64.id)).await.no_content();
        let now: Machine = get(&admin, &path).await;
        assert_eq!((now.arch.as_str(), now.subarch_id, now.netboot_enabled), ("amd64", Some(target.id), true));
        assert_eq!(get::<Image>(&admin, &format!("/image/{}", new.id)).await.arch, "amd64");
    }
}

#[tokio::test]
async fn what_a_user_had_goes_to_another_or_to_the_lab() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let (ann, bob, eve) = (app.user("ann").await, app.user("bob").await, app.user("eve").await);
        let id = async |client: &Client| client.get("/self").await.ok::<Me>().id;
        let (ann_id, bob_id) = (id(&ann).await, id(&bob).await);
        let made = machine(&admin, "m1").await;
        assign(&admin, &made, "ann").await;
        let kernel = upload(&ann, "Kernel", "x86_64", "vmlinuz", b"kernel").await;
        let answers = preseed(&ann, "answers").await;
        let refused = admin.delete(&format!("/user/{ann_id}")).await.error(409);
        assert_eq!(refused.in_use_by.len(), 3);
        eve.delete(&format!("/user/{ann_id}?detach=true")).await.error(403);

        admin.delete(&format!("/user/{ann_id}?replace_with={bob_id}")).await.no_content();
        assert_eq!(get::<Image>(&bob, &format!("/image/{}", kernel.id)).await.user.as_deref(), Some("bob"));
        assert_eq!(get::<Preseed>(&bob, &format!("/preseed/{}", answers.id)).await.user.as_deref(), Some("bob"));
        let now: Machine = get(&bob, &format!("/machine/{}", made.id)).await;
        assert!(now.may_change && now.assignees[0].user == "bob" && now.assignees[0].reason == "test");

        admin.delete(&format!("/user/{bob_id}?detach=true")).await.no_content();
        assert_eq!(get::<Image>(&admin, &format!("/image/{}", kernel.id)).await.user, None);
        assert!(get::<Machine>(&admin, &format!("/machine/{}", made.id)).await.assignees.is_empty());
        assert_eq!(get::<Vec<User>>(&admin, "/user").await.len(), 2);
    }
}

#[tokio::test]
async fn only_admins_decide_for_the_users_of_a_thing() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let ann = app.user("ann").await;
        let made = machine(&admin, "m1").await;
        let answers = preseed(&ann, "answers").await;
        admin.put(&format!("/machine/{}", made.id), &json!({ "preseed_id": answers.id })).await.ok::<Machine>();
        ann.delete(&format!("/preseed/{}?detach=true", answers.id)).await.error(403);
        assert_eq!(get::<Machine>(&admin, &format!("/machine/{}", made.id)).await.preseed_id, Some(answers.id));
        admin.delete(&format!("/preseed/{}?detach=true", answers.id)).await.no_content();
        assert!(get::<Vec<Network>>(&admin, "/network").await.is_empty());
    }
}

#[tokio::test]
async fn the_same_file_uploaded_once_more_stays_one_image_when_that_is_asked_for() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        arch(&admin, "arm64").await;
        let ann = app.user("ann").await;
        let send = async |client: &Client, arch: &str, name: &str, content: &[u8]| {
            let form = Form::default().q(&json!({ "type": "Kernel", "arch": arch })).file(name, content).body();
            let kind = [("content-type", Form::content_type())];
            client.send(axum::http::Method::POST, "/image?once=true", &[(kind[0].0, kind[0].1.as_str())], form).await
        };
        let first: Image = send(&ann, "x86_64", "vmlinuz", b"kernel").await.created();
        let again: Image = send(&ann, "x86_64", "vmlinuz", b"kernel").await.ok();
        assert_eq!(again, first);
        // another's, by another name, of another architecture, with another content: another image
        for (client, arch, name, content) in [
            (&admin, "x86_64", "vmlinuz", b"kernel"),
            (&ann, "x86_64", "vmlinuz-6.12", b"kernel"),
            (&ann, "arm64", "vmlinuz", b"kernel"),
            (&ann, "x86_64", "vmlinuz", b"KERNEL"),
        ] {
            assert_ne!(send(client, arch, name, content).await.created::<Image>().id, first.id, "{arch} {name}");
        }
        // clients of the original, which ask for nothing, get an image of its own each time
        let one = upload(&ann, "Kernel", "x86_64", "vmlinuz", b"kernel").await;
        assert_ne!(one.id, first.id);
        // by its hash it is found before anything is sent
        let found: Vec<Image> = ann.get(&format!("/image?filter=sha256%3D{}", first.sha256)).await.ok();
        assert!(found.iter().any(|image| image.id == first.id));
    }
}
