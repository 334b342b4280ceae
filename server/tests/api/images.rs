//! Uploads: streamed, whole or not at all, and whose they are.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use app::api::{Image, ImageType};
use axum::http::Method;
use serde_json::{Value, json};
use server::{images::Swept, lab::images};
use sha2::{Digest, Sha256};

use crate::{
    fixtures::{Form, arch, machine, statuses, upload},
    process::Running,
    support::{Auth, Client, Engine, TestApp},
};

fn kernel() -> Value {
    json!({ "type": "Kernel", "arch": "x86_64" })
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn folder(app: &TestApp) -> PathBuf {
    app.lab.config.images_dir()
}

/// All files of the image store but its lock.
fn files(app: &TestApp) -> BTreeSet<String> {
    fn walk(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if !path.ends_with("lock") {
                found.insert(path.file_name().unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(&folder(app), &mut found);
    found
}

async fn images(client: &Client) -> Vec<Image> {
    client.get("/image?show_all=true").await.ok()
}

async fn stored(app: &TestApp, image: &Image) -> Vec<u8> {
    fs::read(app.lab.images.path(&image.sha256)).unwrap()
}

#[tokio::test]
async fn an_upload_is_kept_whole_and_described() {
    for app in TestApp::each().await {
        arch(&app.admin().await, "x86_64").await;
        let ann = app.user("ann").await;
        let content: Vec<u8> = (0..1_500_000_u32).map(|n| (n % 251) as u8).collect();
        let q =
            json!({ "type": "Initrd", "arch": "x86_64", "description": "d", "known_good": true, "public": true, "filename": "ignored" });
        let image: Image = Form::default().q(&q).file("initrd.gz", &content).send(&ann).await.created();
        assert_eq!((image.size, image.sha256.as_str()), (1_500_000, sha256(&content).as_str()));
        assert_eq!((image.file_type, image.arch.as_str(), image.description.as_str()), (ImageType::Initrd, "x86_64", "d"));
        assert_eq!((image.user.as_deref(), image.known_good, image.public, image.may_change), (Some("ann"), true, true, true));
        assert_eq!(image.filename, "initrd.gz");
        let (path, random) = image.name.rsplit_once('.').unwrap();
        assert_eq!(path, "ann/initrd.gz");
        assert!(random.len() == 8 && random.bytes().all(|b| b.is_ascii_hexdigit()), "{random}");
        assert!(image.upload_date.0.ends_with('Z'));
        assert_eq!(stored(&app, &image).await, content);
        assert_eq!(files(&app), BTreeSet::from([image.sha256.clone()]));
        assert_eq!(ann.get(&format!("/image/{}", image.id)).await.ok::<Image>(), image);
    }
}

#[tokio::test]
async fn the_parts_may_come_in_either_order_with_others_between() {
    let app = TestApp::start(Engine::Sqlite).await;
    let admin = app.admin().await;
    arch(&admin, "x86_64").await;
    let first: Image = Form::default().q(&kernel()).file("a", b"1").send(&admin).await.created();
    let last: Image = Form::default().file("a", b"2").part("name=\"other\"", b"x").q(&kernel()).send(&admin).await.created();
    assert_eq!((stored(&app, &first).await, stored(&app, &last).await), (b"1".to_vec(), b"2".to_vec()));
    // an empty file is a file
    let empty: Image = Form::default().file("a", b"").q(&kernel()).send(&admin).await.created();
    assert_eq!(empty.size, 0);
}

#[tokio::test]
async fn what_is_missing_is_told_in_the_originals_words() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let form = Form::default;
        for (form, sentence) in [
            (form().q(&kernel()), "multipart `file` is required"),
            (form().q(&kernel()).file("", b"x"), "multipart `file` is required"),
            (form().q(&kernel()).part("name=\"file\"", b"x"), "multipart `file` is required"),
            (form(), "multipart `file` is required"),
            (form().file("a", b"x"), "multipart `q` is required"),
            (form().file("a", b"x").q(&json!({ "type": "Kernel" })), "arch is required"),
            (form().file("a", b"x").q(&json!({ "type": "Kernel", "arch": "mips" })), "no such architecture"),
            (form().q(&json!({ "type": "Kernel", "arch": "mips" })).file("a", b"x"), "no such architecture"),
            (form().file("a", b"x").q(&json!({ "arch": "x86_64" })), "multipart `q`: missing field `type`"),
            (form().file("a", b"x").q(&json!({ "arch": "x86_64", "type": "kernel" })), "multipart `q`: type: unknown variant `kernel`"),
            (form().file("a", b"x").part("name=\"q\"", b"{"), "multipart `q`: the body is not valid JSON"),
            (form().file("a", b"x").part("name=\"q\"", b"\xff"), "multipart `q`: the body is not UTF-8"),
            (form().file("a", b"x").part("name=\"q\"", &[b' '; 70_000]), "multipart `q` must have at most"),
            (form().file("a", b"x").file("b", b"y").q(&kernel()), "multipart `file` must be there only once"),
            (form().file("a", b"x").q(&kernel()).q(&kernel()), "multipart `q` must be there only once"),
        ] {
            let detail = form.send(&admin).await.error(400).detail;
            assert!(detail.starts_with(sentence), "{detail:?} is not {sentence:?}");
        }
        let json = [("content-type", "application/json")];
        assert_eq!(admin.send(Method::POST, "/image", &json, "{}").await.error(400).detail, "multipart `file` is required");
        app.anonymous().send(Method::POST, "/image", &json, "{}").await.error(401);
        assert!(images(&admin).await.is_empty());
        assert!(files(&app).is_empty());
    }
}

#[tokio::test]
async fn w24_hostile_names_become_harmless_paths() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let (long, its_end) = (format!("{}.efi", "x".repeat(1000)), format!("admin/{}.efi", "x".repeat(96)));
        for (hostile, path) in [
            ("../../etc/passwd", "admin/passwd"),
            ("..", "admin/file"),
            ("/", "admin/file"),
            ("🚀", "admin/file"),
            ("a b;c.efi", "admin/a_b_c.efi"),
            ("C:\\temp\\grub.efi", "admin/grub.efi"),
            (long.as_str(), its_end.as_str()),
        ] {
            let image: Image = Form::default().file(hostile, hostile.as_bytes()).q(&kernel()).send(&admin).await.created();
            assert_eq!(image.name.rsplit_once('.').unwrap().0, path, "{hostile:?}");
            assert!(image.filename.chars().count() <= 255);
            assert_eq!(stored(&app, &image).await, hostile.as_bytes());
        }
        // NUL comes only in the extended form
        let extended = Form::default().part("name=\"file\"; filename*=UTF-8''a%00b%F0%9F%9A%80.efi", b"nul").q(&kernel());
        let image: Image = extended.send(&admin).await.created();
        assert_eq!((image.filename.as_str(), image.name.rsplit_once('.').unwrap().0), ("ab🚀.efi", "admin/a_b_.efi"));
        // as browsers send quotes and ends of lines
        let quoted = Form::default().part("name=\"file\"; filename=\"%22q%22%0D%0A.txt\"", b"quoted").q(&kernel());
        let image: Image = quoted.send(&admin).await.created();
        assert_eq!(image.filename, "\"q\".txt");
        // users whose names leave nothing safe still have a folder of their own
        let rocket = app.user("🚀 /..").await;
        let image: Image = Form::default().file("a", b"x").q(&kernel()).send(&rocket).await.created();
        assert!(image.name.starts_with("user") && image.name.matches('/').count() == 1, "{}", image.name);
        assert!(images(&admin).await.iter().all(|image| !image.name.contains("..")));
    }
}

#[tokio::test]
async fn equal_content_is_one_file_until_its_last_image_goes() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let ann = app.user("ann").await;
        // the same name and content, by two users
        let first = upload(&admin, "Kernel", "x86_64", "linux", b"same").await;
        let second = upload(&ann, "Kernel", "x86_64", "linux", b"same").await;
        assert_ne!(first.name, second.name);
        assert_eq!(files(&app), BTreeSet::from([sha256(b"same")]));
        admin.delete(&format!("/image/{}", first.id)).await.no_content();
        assert_eq!(stored(&app, &second).await, b"same");
        ann.delete(&format!("/image/{}", second.id)).await.no_content();
        assert!(files(&app).is_empty());
        upload(&ann, "Kernel", "x86_64", "linux", b"same").await;
        assert_eq!(files(&app).len(), 1);
    }
}

#[tokio::test]
async fn an_upload_while_the_same_content_is_deleted_keeps_its_file() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        for _ in 0..20 {
            let old = upload(&admin, "Kernel", "x86_64", "linux", b"same").await;
            let path = format!("/image/{}", old.id);
            let (gone, new) = tokio::join!(admin.delete(&path), upload(&admin, "Kernel", "x86_64", "linux", b"same"));
            gone.no_content();
            assert_eq!(stored(&app, &new).await, b"same");
            admin.delete(&format!("/image/{}", new.id)).await.no_content();
        }
        assert!(files(&app).is_empty());
    }
}

#[tokio::test]
async fn b18_one_over_the_limit_leaves_nothing() {
    for engine in Engine::BOTH {
        let app = TestApp::start_with(engine, |config| config.uploads.limit = 100_000).await;
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let at_the_limit: Image = Form::default().file("a", &[1; 100_000]).q(&kernel()).send(&admin).await.created();
        let error = Form::default().file("a", &[1; 100_001]).q(&kernel()).send(&admin).await.error(413);
        assert_eq!(error.detail, "the upload is larger than the limit of 100000 bytes");
        // by its length alone, before anything is read
        let length = [("content-type", Form::content_type()), ("content-length", "2000000000".into())];
        let headers: Vec<(&'static str, &str)> = length.iter().map(|(name, value)| (*name, value.as_str())).collect();
        admin.send(Method::POST, "/image", &headers, "").await.error(413);
        assert_eq!(images(&admin).await, [at_the_limit]);
        assert_eq!(files(&app).len(), 1);
    }
}

/// Sends a request's head and a part of its body over TCP.
fn begin(address: std::net::SocketAddr, client: &Client, body: &[u8], length: usize) -> TcpStream {
    let Auth::Token(token) = &client.auth else { panic!("needs a token") };
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(
        socket,
        "POST /api/v1/image HTTP/1.1\r\nHost: lab.test\r\nAuthorization: {token}\r\nContent-Type: {}\r\nContent-Length: {length}\r\n\r\n",
        Form::content_type()
    )
    .unwrap();
    socket.write_all(body).unwrap();
    socket
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_in_mid_upload_leaves_nothing() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let token = admin.token().await;
        let address = app.listen().await;
        let body = Form::default().q(&kernel()).file("linux", &vec![7; 3_000_000]).body();
        for sent in [200, body.len() / 2, body.len() - 20] {
            let socket = begin(address, &token, &body[..sent], body.len());
            if sent > 1000 {
                until("the upload begins", || !files(&app).is_empty()).await;
            }
            drop(socket);
            until("the cut upload goes", || files(&app).is_empty()).await;
        }
        assert!(images(&admin).await.is_empty());
        // the same, whole
        let mut socket = begin(address, &token, &body, body.len());
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 201");
        assert_eq!((images(&admin).await.len(), files(&app).len()), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_everything_first_still_sees_why_it_was_refused() {
    let app = TestApp::start_with(Engine::Sqlite, |config| config.uploads.limit = 1_000_000).await;
    let admin = app.admin().await;
    arch(&admin, "x86_64").await;
    let token = admin.token().await;
    let address = app.listen().await;
    let body = Form::default().q(&kernel()).file("linux", &vec![7; 40_000_000]).body();
    let length = body.len();
    let mut socket = tokio::task::spawn_blocking(move || begin(address, &token, &body, length)).await.unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test(flavor = "multi_thread")]
async fn w26_a_large_upload_needs_little_memory() {
    let app = TestApp::start(Engine::Sqlite).await;
    let admin = app.admin().await;
    arch(&admin, "x86_64").await;
    let token = admin.token().await;
    let address = app.listen().await;
    // so many MiB; `MRP_TEST_UPLOAD_MIB=2048` for 2 GiB, which takes a debug build its while
    let mib: usize = std::env::var("MRP_TEST_UPLOAD_MIB").map_or(256, |mib| mib.parse().unwrap());
    let (size, block) = (mib << 20, vec![5_u8; 1 << 20]);
    let whole = Form::default().q(&kernel()).file("big", b"").body();
    // the content goes before the line break that ends its part
    let end = whole.len() - Form::default().body().len() - 2;
    let before = resident();
    let peak = tokio::task::spawn_blocking(move || {
        let mut socket = begin(address, &token, &whole[..end], whole.len() + size);
        let mut peak = 0;
        for _ in 0..size / block.len() {
            socket.write_all(&block).unwrap();
            peak = peak.max(resident());
        }
        socket.write_all(&whole[end..]).unwrap();
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 201");
        peak
    })
    .await
    .unwrap();
    assert_eq!(images(&admin).await[0].size, i64::try_from(size).unwrap());
    println!("{mib} MiB uploaded: resident memory {} MiB before, at most {} MiB meanwhile", before >> 20, peak >> 20);
    // other tests run in the same process meanwhile: far less than the file is what can be said
    assert!(peak.saturating_sub(before) < 128 << 20, "{before} → {peak}");
}

/// Resident memory of this process, bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[tokio::test]
async fn a_full_disk_is_told_and_leaves_nothing() {
    if !is_root() {
        eprintln!("not root: no small disk can be mounted");
        return;
    }
    let app = TestApp::start(Engine::Sqlite).await;
    let admin = app.admin().await;
    arch(&admin, "x86_64").await;
    let disk = SmallDisk::mount(&folder(&app));
    fs::create_dir_all(folder(&app).join("tmp")).unwrap();
    fs::create_dir_all(folder(&app).join("sha256")).unwrap();
    let error = Form::default().q(&kernel()).file("linux", &vec![7; 3 << 20]).send(&admin).await.error(507);
    assert_eq!(error.detail, "no space left to store the upload");
    assert!(files(&app).is_empty() && images(&admin).await.is_empty());
    // a smaller one finds its place
    let small = upload(&admin, "Kernel", "x86_64", "linux", &[7; 100_000]).await;
    assert_eq!(stored(&app, &small).await.len(), 100_000);
    drop(disk);
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// A disk of 2 MiB over a folder.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Self {
        let mount = std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(at).status().unwrap();
        assert!(mount.success());
        Self(at.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_start_removes_what_a_crash_left() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let kept = upload(&admin, "Kernel", "x86_64", "linux", b"kept").await;
        fs::write(folder(&app).join("tmp").join("half"), "half").unwrap();
        let orphan = app.lab.images.path(&sha256(b"orphan"));
        fs::create_dir_all(orphan.parent().unwrap()).unwrap();
        fs::write(orphan, "orphan").unwrap();
        let app = app.restarted().await;
        assert_eq!(images::sweep(&app.lab).await.unwrap(), Swept { unfinished: 1, removed: 1, kept: 0 });
        assert_eq!(files(&app), BTreeSet::from([kept.sha256.clone()]));
        assert_eq!(stored(&app, &kept).await, b"kept");
    }
}

#[test]
fn after_a_kill_in_mid_upload_nothing_is_half_there() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Running::start(data.path());
    let password = server.password();
    let cookie = server.log_in("admin", &password).unwrap();
    assert_eq!(server.ask("POST", "/api/v1/arch", &cookie, r#"{"name":"x86_64"}"#).0, 201);
    let form = format!("{cookie}Content-Type: {}\r\n", Form::content_type());
    let small = String::from_utf8(Form::default().q(&kernel()).file("linux", b"whole").body()).unwrap();
    assert_eq!(server.ask("POST", "/api/v1/image", &form, &small).0, 201);

    let body = Form::default().q(&kernel()).file("linux", &vec![7; 3_000_000]).body();
    let mut socket = server.connect();
    write!(socket, "POST /api/v1/image HTTP/1.1\r\nHost: lab\r\n{form}Content-Length: {}\r\n\r\n", body.len()).unwrap();
    socket.write_all(&body[..2_000_000]).unwrap();
    let tmp = data.path().join("images").join("tmp");
    let deadline = Instant::now() + Duration::from_secs(10);
    while fs::read_dir(&tmp).unwrap().count() == 0 {
        assert!(Instant::now() < deadline, "the upload begins");
        std::thread::sleep(Duration::from_millis(10));
    }
    server.signal("-KILL");
    server.wait();
    assert_eq!(fs::read_dir(&tmp).unwrap().count(), 1, "a kill leaves it");

    let server = Running::start(data.path());
    assert_eq!(fs::read_dir(&tmp).unwrap().count(), 0, "a start removes it");
    let (status, _, body) = server.ask("GET", "/api/v1/image", &cookie, "");
    assert_eq!(status, 200);
    let images: Vec<Image> = serde_json::from_str(&body).unwrap();
    assert_eq!((images.len(), images[0].sha256.as_str()), (1, sha256(b"whole").as_str()));
}

#[tokio::test]
async fn private_ones_are_their_owners_and_the_admins() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let (ann, eve) = (app.user("ann").await, app.user("eve").await);
        let private = upload(&ann, "Kernel", "x86_64", "linux", b"private").await;
        let public = upload(&ann, "Initrd", "x86_64", "initrd", b"public").await;
        ann.put(&format!("/image/{}", public.id), &json!({ "public": true })).await.ok::<Image>();
        let requests = |id: i64| {
            [
                (Method::GET, format!("/image/{id}"), json!(null)),
                (Method::PUT, format!("/image/{id}"), json!({ "known_good": true })),
                (Method::DELETE, format!("/image/{id}"), json!(null)),
            ]
        };
        assert_eq!(statuses(&app.anonymous(), &requests(public.id)).await, [401; 3]);
        assert_eq!(statuses(&eve, &requests(private.id)).await, [403; 3]);
        assert_eq!(statuses(&eve, &requests(public.id)).await, [200, 403, 403]);
        let ids = async |path: &str, client: &Client| -> BTreeSet<i64> {
            client.get(path).await.ok::<Vec<Image>>().into_iter().map(|image| image.id).collect()
        };
        assert_eq!(ids("/image?show_all=true", &eve).await, BTreeSet::from([public.id]));
        assert!(ids("/image", &eve).await.is_empty());
        assert_eq!(ids("/image", &ann).await, BTreeSet::from([private.id, public.id]));
        assert_eq!(ids("/image?show_all=True", &admin).await, BTreeSet::from([private.id, public.id]));
        assert_eq!(statuses(&ann, &requests(private.id)).await, [200, 200, 204]);
        assert_eq!(statuses(&admin, &requests(public.id)).await, [200, 200, 204]);
        assert_eq!(statuses(&admin, &requests(public.id)).await, [404; 3]);
    }
}

#[tokio::test]
async fn what_is_said_of_an_image_can_change() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        arch(&admin, "arm64").await;
        let image = upload(&admin, "Kernel", "x86_64", "linux", b"k").await;
        let path = format!("/image/{}", image.id);
        let change = json!({ "type": "bootloader", "arch": "arm64", "description": "new", "known_good": true, "public": true });
        let now: Image = admin.put(&path, &change).await.ok();
        let expected = Image {
            file_type: ImageType::Bootloader,
            arch: "arm64".into(),
            description: "new".into(),
            known_good: true,
            public: true,
            ..image.clone()
        };
        assert_eq!(now, expected);
        assert_eq!(admin.put(&path, &json!({})).await.ok::<Image>(), expected);
        assert_eq!(admin.put(&path, &json!({ "arch": "mips" })).await.error(400).detail, "no such architecture");
        let long = json!({ "description": "x".repeat(257) });
        assert_eq!(admin.put(&path, &long).await.error(400).detail, "description must be between 0 and 256 characters long");
    }
}

#[tokio::test]
async fn b14_one_that_is_used_stays_and_stays_what_it_is() {
    for app in TestApp::each().await {
        let admin = app.admin().await;
        arch(&admin, "x86_64").await;
        let image = upload(&admin, "Kernel", "x86_64", "linux", b"k").await;
        let made = machine(&admin, "m1").await;
        admin.put(&format!("/machine/{}", made.id), &json!({ "kernel_id": image.id })).await.ok::<Value>();
        let path = format!("/image/{}", image.id);
        let refused = admin.delete(&path).await.error(409);
        assert_eq!(refused.detail, format!("image {} is in use by machine m1 as kernel", image.name));
        admin.put(&path, &json!({ "type": "Initrd" })).await.error(409);
        admin.put(&path, &json!({ "type": "Kernel", "description": "still" })).await.ok::<Image>();
        assert_eq!(stored(&app, &image).await, b"k");
    }
}

#[tokio::test]
async fn content_comes_back_as_it_was_sent_whole_or_in_parts() {
    for app in TestApp::each().await {
        let (ann, eve) = (app.user("ann").await, app.user("eve").await);
        arch(&app.admin().await, "x86_64").await;
        let content: Vec<u8> = (0..50_000u32).flat_map(u32::to_le_bytes).collect();
        let image = upload(&ann, "Kernel", "x86_64", "vm linuz-ü.gz", &content).await;
        let path = format!("/image/{}/content", image.id);
        let get = async |headers: &[(&'static str, &str)]| ann.send(Method::GET, &path, headers, "").await;

        let whole = get(&[("accept-encoding", "gzip, br")]).await;
        assert_eq!((whole.status.as_u16(), whole.header("content-length"), whole.header("content-encoding")), (200, "200000", ""));
        assert_eq!(whole.body, content);
        assert_eq!(whole.header("content-type"), "application/octet-stream");
        let disposition = whole.header("content-disposition").to_owned();
        assert!(disposition.starts_with("attachment; filename=\"vm linuz-_.gz\"; filename*=UTF-8''vm%20linuz-"), "{disposition}");

        let part = get(&[("range", "bytes=4-11")]).await;
        assert_eq!((part.status.as_u16(), part.header("content-range"), &part.body[..]), (206, "bytes 4-11/200000", &content[4..12]));
        let end = get(&[("range", "bytes=-4")]).await;
        assert_eq!((end.status.as_u16(), &end.body[..]), (206, &content[199_996..]));
        assert_eq!(get(&[("range", "bytes=200000-")]).await.error(416).detail, "the file has 200000 bytes");
        let etag = format!("\"{}\"", image.sha256);
        assert_eq!(whole.header("etag"), etag);
        let known = get(&[("if-none-match", &etag)]).await;
        assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
        assert_eq!(ann.send(Method::HEAD, &path, &[], "").await.header("content-length"), "200000");

        eve.get(&path).await.error(403);
        app.anonymous().get(&path).await.error(401);
        ann.get("/image/999/content").await.error(404);
        ann.put(&format!("/image/{}", image.id), &json!({ "public": true })).await.ok::<Image>();
        assert_eq!(eve.get(&path).await.body, content);
    }
}
