//! What booting machines are answered, over HTTP and over TFTP with a foreign client.

use std::{net::SocketAddr, process::Output};

use app::api::{EventKind, FileRole, Image, Machine};
use bmc_sim::machine::Firmware;
use serde_json::json;
use tokio::process::Command;

use crate::{
    simulated::{MAC, Simulated},
    support::Engine,
};

const GRUB: &str = "//boot/mac/52:54:00:77:00:01/grub.cfg";
const PXELINUX: &str = "//boot/pxelinux.cfg/01-52-54-00-77-00-01";

async fn netboot(lab: &Simulated, on: bool) {
    lab.admin.put(&lab.path(""), &json!({ "netboot_enabled": on })).await.ok::<Machine>();
}

/// curl, which takes the path as it is.
async fn curl(url: String) -> Output {
    let run = Command::new("curl").args(["--silent", "--show-error", "--path-as-is", "--max-time", "20", &url]).output().await;
    run.expect("curl is needed: apt-get install curl")
}

async fn tftp(server: SocketAddr, path: &str) -> Output {
    curl(format!("tftp://{server}/{path}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_with_netboot_on_is_told_its_own_kernel_in_its_loaders_language() {
    for engine in Engine::BOTH {
        let lab = Simulated::start(engine, Firmware::Bios).await;
        netboot(&lab, true).await;
        let id = lab.machine.id;
        let grub = lab.admin.get(GRUB).await;
        assert!(
            grub.text().contains(&format!("linux ($root)/m/{id}/linux BOOTIF=01-52-54-00-77-00-01 console=ttyS0 action=poweroff")),
            "{}",
            grub.text()
        );
        assert!(grub.text().contains(&format!("initrd ($root)/m/{id}/initrd")), "{}", grub.text());
        let pxelinux = lab.admin.get(PXELINUX).await;
        assert!(pxelinux.text().contains(&format!("KERNEL /m/{id}/linux\n  INITRD /m/{id}/initrd\n  IPAPPEND 2\n")), "{}", pxelinux.text());
        let asked = lab.events().await;
        let asked: Vec<_> = asked.iter().filter(|event| matches!(event, EventKind::TftpReq { netboot: true, reason: None, .. })).collect();
        assert_eq!(asked.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_to_netboot_is_told_to_boot_from_disk_and_why() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    for (path, end) in [(GRUB, "exit\n"), (PXELINUX, "LOCALBOOT -1\n")] {
        let answer = lab.admin.get(path).await;
        assert!(answer.text().contains("netboot is off for this machine") && answer.text().ends_with(end), "{}", answer.text());
    }
    let local = |event: &EventKind| matches!(event, EventKind::TftpReq { netboot: false, reason: Some(reason), .. } if reason.contains("netboot is off"));
    lab.event(local).await;
    netboot(&lab, true).await;
    lab.admin.put(&lab.path(""), &json!({ "kernel_id": null })).await.ok::<Machine>();
    assert!(lab.admin.get(GRUB).await.text().contains("no kernel is chosen"));
    let unknown = lab.admin.get("//boot/mac/52:54:00:00:00:99/grub.cfg").await;
    assert!(unknown.text().contains("no machine has this MAC") && unknown.text().ends_with("exit\n"));
    let unknown = lab.admin.get("//boot/pxelinux.cfg/01-52-54-00-00-00-99").await;
    assert!(unknown.text().contains("no machine has this MAC") && unknown.text().ends_with("LOCALBOOT -1\n"));
    assert!(lab.admin.get("//boot/pxelinux.cfg/default").await.text().ends_with("LOCALBOOT -1\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_entry_that_signed_grub_asks_for_sends_every_machine_to_its_own() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    for path in ["grub/grub.cfg", "debian-installer/amd64/grub/grub.cfg", "boot/grub/grub.cfg"] {
        let answer = tftp(lab.tftp, path).await;
        assert!(String::from_utf8_lossy(&answer.stdout).contains("configfile ($root)/mac/$net_default_mac/grub.cfg"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kernel_and_initrd_are_their_machines_only_and_only_while_netboot_is_on() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let kernel = format!("m/{}/linux", lab.machine.id);
    assert!(!tftp(lab.tftp, &kernel).await.status.success());
    assert_eq!(lab.admin.get(&format!("//boot/{kernel}")).await.status, 404);
    netboot(&lab, true).await;
    assert_eq!(tftp(lab.tftp, &kernel).await.stdout, lab.kernel);
    let over_http = lab.admin.get(&format!("//boot/{kernel}")).await;
    assert_eq!(over_http.body, lab.kernel);
    assert_eq!(over_http.header("content-length"), lab.kernel.len().to_string());
    // the name of an uploaded kernel opens nothing: whoever guesses it must not read it
    let image: Image = lab.admin.get(&format!("/image/{}", lab.machine.kernel_id.unwrap())).await.ok();
    assert!(!tftp(lab.tftp, &image.name).await.status.success());
    // UEFI's HTTP boot asks for parts
    let part = lab.admin.send(axum::http::Method::GET, &format!("//boot/{kernel}"), &[("range", "bytes=4-7")], "").await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &1u32.to_le_bytes()[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_fetched_becomes_an_event_with_bytes_and_seconds() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    netboot(&lab, true).await;
    // a loader's fetch is anybody's until the configuration is asked for from the same address
    let archs: Vec<app::api::Arch> = lab.admin.get("/arch").await.ok();
    let path = archs[0].subarchs[0].bootloader.clone().unwrap();
    assert!(tftp(lab.tftp, &path).await.status.success());
    assert!(tftp(lab.tftp, "pxelinux.cfg/01-52-54-00-77-00-01").await.status.success());
    let is = |role: FileRole| move |event: &EventKind| matches!(event, EventKind::FileFetched { role: found, .. } if *found == role);
    let EventKind::FileFetched { bytes, client_ip, .. } = lab.event(is(FileRole::Loader)).await else { unreachable!() };
    assert_eq!((bytes, client_ip.as_str()), (3, "127.0.0.1"));
    assert!(tftp(lab.tftp, &format!("m/{}/linux", lab.machine.id)).await.status.success());
    let EventKind::FileFetched { bytes, seconds, path, .. } = lab.event(is(FileRole::Kernel)).await else { unreachable!() };
    assert_eq!((bytes, path), (lab.kernel.len() as u64, format!("m/{}/linux", lab.machine.id)));
    assert!(seconds > 0.0);
    let http = format!("http://{}/boot/m/{}/initrd", lab.http, lab.machine.id);
    assert_eq!(curl(http).await.stdout, &lab.kernel[..100_000]);
    lab.event(is(FileRole::Initrd)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_leave_the_served_folders_read_nothing() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    for path in ["../../etc/passwd", "/etc/passwd", "//etc/passwd", "a/../../../etc/passwd", "....//etc/passwd", "..\\..\\etc\\passwd"] {
        for url in [format!("tftp://{}/{path}", lab.tftp), format!("http://{}/boot/{path}", lab.http)] {
            let answer = curl(url.clone()).await;
            assert!(!String::from_utf8_lossy(&answer.stdout).contains("root:"), "{url}");
        }
    }
    // and a name of 10,000 bytes is an answer, not a crash
    let long = "a".repeat(10_000);
    let answer = curl(format!("http://{}/boot/{long}", lab.http)).await;
    assert_eq!(String::from_utf8_lossy(&answer.stdout), "the name is too long\n");
    assert!(tftp(lab.tftp, "grub/grub.cfg").await.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preseed_needs_its_key_and_is_rendered_for_its_machine() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let anonymous = lab.app.anonymous();
    assert_eq!(anonymous.get(&format!("//preseed/{}", lab.machine.id)).await.status, 404);
    let url = lab.preseed("host {{ hostname }} kernel {{ kernel.filename }} opts {{ kernel_options }}\n").await;
    assert_eq!(anonymous.get(&format!("//preseed/{}", lab.machine.id)).await.status, 404);
    assert_eq!(anonymous.get(&format!("//preseed/{}?k=guess", lab.machine.id)).await.status, 404);
    let answer = anonymous.get(&format!("/{url}")).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().starts_with("host sim kernel admin/vmlinuz."), "{}", answer.text());
    assert!(answer.text().ends_with(" opts console=ttyS0 action=poweroff"), "{}", answer.text());
    assert!(answer.header("content-type").starts_with("text/plain"));
    let bytes = answer.body.len() as u64;
    lab.event(|event| *event == EventKind::PreseedAccess { client_ip: "127.0.0.1".into(), bytes }).await;
    // and the loader hands its address to the installer
    netboot(&lab, true).await;
    assert!(lab.admin.get(GRUB).await.text().contains(&format!("'url=http://{}{url}'", lab.http)), "{MAC}");
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_a_preseed_are_told_to_the_installer_and_become_events() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let anonymous = lab.app.anonymous();
    let url = lab.preseed("a{{ gateway }}b").await;
    assert_eq!(anonymous.get(&format!("/{url}")).await.text(), "ab");
    lab.event(|event| matches!(event, EventKind::PreseedError { message, lineno: 0, .. } if message == "'gateway' is undefined")).await;
    let url = lab.preseed("fine\n{% if %}\n").await;
    let answer = anonymous.get(&format!("/{url}")).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().starts_with("Syntax error on preseed template: ") && answer.text().contains("line: 2"), "{}", answer.text());
    lab.event(|event| matches!(event, EventKind::PreseedError { lineno: 2, .. })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_cannot_take_the_server_with_it_nor_read_its_secrets() {
    let lab = Simulated::start(Engine::Sqlite, Firmware::Bios).await;
    let anonymous = lab.app.anonymous();
    for template in [
        "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
        "{{ 'x' * 1000000000 }}",
        // forty doublings: few steps, a terabyte
        "{% set ns = namespace(x='0123456789') %}{% for i in range(40) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x|length }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% include '/etc/passwd' %}",
    ] {
        let url = lab.preseed(template).await;
        let answer = anonymous.get(&format!("/{url}")).await;
        assert_eq!(answer.status, 400, "{template}: {}", answer.text());
    }
    let url = lab.preseed("{{ env }}{{ config }}{{ self }}{{ ''.__class__ }}{{ debug() }}").await;
    let answer = anonymous.get(&format!("/{url}")).await;
    assert!(!answer.text().contains("PATH") && !answer.text().contains("secret"), "{}", answer.text());
}
