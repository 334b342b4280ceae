use std::{collections::HashMap, sync::Mutex};

use super::*;

/// Files in memory; records what was asked for and printed.
#[derive(Default)]
struct Files {
    files: HashMap<String, String>,
    asked: Mutex<Vec<String>>,
    printed: Mutex<String>,
    keys: Mutex<Vec<u8>>,
}

impl Files {
    fn with(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(), ..Self::default() }
    }

    fn printed(&self) -> String {
        self.printed.lock().unwrap().clone()
    }
}

impl Host for Files {
    async fn fetch(&self, location: &Location, _keep: usize, _probe: bool) -> Result<Fetched, FetchError> {
        let name = match location {
            Location::Tftp(name) | Location::Url(name) => name,
        };
        self.asked.lock().unwrap().push(name.clone());
        let text = self.files.get(name).ok_or(FetchError::Tftp { code: 1, message: "File not found".into() })?;
        Ok(Fetched { bytes: text.len() as u64, took: Duration::ZERO, head: text.clone().into_bytes(), announced: None })
    }

    async fn print(&self, text: &str) {
        self.printed.lock().unwrap().push_str(text);
    }

    async fn key(&self, limit: Option<Duration>) -> Option<u8> {
        let next = self.keys.lock().unwrap().pop();
        match (next, limit) {
            (None, None) => std::future::pending().await,
            (next, _) => next,
        }
    }

    fn http_base(&self) -> String {
        "http://10.0.0.1:80".into()
    }
}

async fn boot(files: &Files) -> Outcome {
    let variables = [
        ("prefix", "(tftp,10.0.0.1)/grub"),
        ("root", "tftp,10.0.0.1"),
        ("net_default_mac", "52:54:00:77:00:01"),
        ("net_default_server", "10.0.0.1"),
        ("grub_platform", "efi"),
    ];
    Grub::new(files, variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).run().await
}

fn linux(outcome: Outcome) -> Loaded {
    match outcome {
        Outcome::Linux(loaded) => *loaded,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_configuration_that_dispatches_on_the_mac() {
    let files = Files::with(&[
        (
            "/grub/grub.cfg",
            "# one file for all\nset timeout=0\nif [ -n \"$net_default_mac\" ]; then\n  configfile $prefix/01-$net_default_mac\nfi\nexit\n",
        ),
        (
            "/grub/01-52:54:00:77:00:01",
            "set default=0\nset timeout=0\nmenuentry 'Provision \"x\"' {\n  linux (tftp)/images/k url=http://10.0.0.1/p?k=a 'a b' console=ttyS0\n  initrd (tftp)/images/i\n}\n",
        ),
        ("/images/k", "kernel"),
        ("/images/i", "initrd!"),
    ]);
    let loaded = linux(boot(&files).await);
    assert_eq!(loaded.cmdline, "BOOT_IMAGE=(tftp)/images/k url=http://10.0.0.1/p?k=a a b console=ttyS0");
    assert_eq!((loaded.kernel.bytes, loaded.initrds[0].bytes), (6, 7));
    assert_eq!(*files.asked.lock().unwrap(), ["/grub/grub.cfg", "/grub/01-52:54:00:77:00:01", "/images/k", "/images/i"]);
}

#[tokio::test]
async fn an_if_chain_on_the_mac_and_tr() {
    let files = Files::with(&[
        (
            "/grub/grub.cfg",
            "tr -s dashed : - $net_default_mac\nif [ \"$net_default_mac\" = \"52:54:00:77:00:02\" ]; then\n echo two\nelif [ \"$net_default_mac\" = \"52:54:00:77:00:01\" -a \"$grub_platform\" != pc ]; then\n linux (http)/k BOOTIF=01-$dashed\n boot\nelse\n exit\nfi\n",
        ),
        ("http://10.0.0.1:80/k", "kernel"),
    ]);
    assert_eq!(linux(boot(&files).await).cmdline, "BOOT_IMAGE=(http)/k BOOTIF=01-52-54-00-77-00-01");
}

#[tokio::test]
async fn exit_leaves_to_the_firmware() {
    let files = Files::with(&[("/grub/grub.cfg", "echo 'local boot'\nexit\necho no\n")]);
    assert!(matches!(boot(&files).await, Outcome::Exit));
    assert_eq!(files.printed(), "local boot\n");
    let files = Files::with(&[("/grub/grub.cfg", "set timeout=0\nmenuentry local {\n exit\n}\n")]);
    assert!(matches!(boot(&files).await, Outcome::Exit));
}

#[tokio::test]
async fn a_missing_file_is_reported_in_grubs_words() {
    let files = Files::with(&[]);
    assert!(matches!(boot(&files).await, Outcome::Prompt));
    let printed = files.printed();
    assert!(printed.starts_with("error: file `/grub/grub.cfg' not found.\n"), "{printed}");
    assert!(printed.ends_with("grub> "), "{printed}");
}

#[tokio::test]
async fn an_entry_whose_kernel_is_missing_does_not_boot() {
    let files = Files::with(&[("/grub/grub.cfg", "set timeout=0\nmenuentry a {\n linux /k\n initrd /i\n}\nmenuentry b { reboot\n}\n")]);
    // the key that ends the pause, then down, then Enter
    *files.keys.lock().unwrap() = vec![b'\r', b'v', b' '];
    assert!(matches!(boot(&files).await, Outcome::Reboot));
    let printed = files.printed();
    assert!(printed.contains("error: file `/k' not found."), "{printed}");
    assert!(printed.contains("error: you need to load the kernel first."), "{printed}");
    assert!(printed.contains("Press any key to continue..."), "{printed}");
}

#[tokio::test]
async fn default_by_id_loops_functions_and_unknown_commands() {
    let files = Files::with(&[(
        "/grub/grub.cfg",
        "function say { echo said; }\nsay\nfrobnicate\nfor x in 1 2; do echo $x; done\nset i=a\nwhile [ $i != aaa ]; do set i=${i}a; done\necho $i \"[$nothing]\" $nothing.\nset default=two\nset timeout=0\nmenuentry one --id=one { exit\n}\nmenuentry two --id two {\n halt\n}\n",
    )]);
    assert!(matches!(boot(&files).await, Outcome::Halt));
    assert!(files.printed().starts_with("said\nerror: can't find command `frobnicate'.\n1\n2\naaa [] .\n"), "{}", files.printed());
}

#[tokio::test]
async fn a_script_that_loops_ends() {
    let files = Files::with(&[("/grub/grub.cfg", "while true; do true; done\n")]);
    assert!(matches!(boot(&files).await, Outcome::Prompt));
    let files = Files::with(&[("/grub/grub.cfg", "configfile /grub/grub.cfg\n")]);
    assert!(matches!(boot(&files).await, Outcome::Prompt));
    assert!(files.printed().contains("maximum recursion depth exceeded"));
    let files = Files::with(&[("/grub/grub.cfg", "function f { f; }\nf\n")]);
    assert!(matches!(boot(&files).await, Outcome::Prompt));
}

#[tokio::test]
async fn a_configuration_without_a_menu_that_says_when_a_boot_fails() {
    let config = "echo 'x boots k'\nif linux ($root)/m/12/linux 'url=http://10.0.0.1:8080/p?k=ab&x=1' a=\"b c\"; then\n  if initrd ($root)/m/12/initrd; then boot; fi\nfi\necho 'the boot failed'\nexit\n";
    let files = Files::with(&[("/grub/grub.cfg", config), ("/m/12/linux", "k"), ("/m/12/initrd", "i")]);
    assert_eq!(linux(boot(&files).await).cmdline, "BOOT_IMAGE=(tftp,10.0.0.1)/m/12/linux url=http://10.0.0.1:8080/p?k=ab&x=1 a=b c");
    for present in [&[("/grub/grub.cfg", config)][..], &[("/grub/grub.cfg", config), ("/m/12/linux", "k")]] {
        let files = Files::with(present);
        assert!(matches!(boot(&files).await, Outcome::Exit));
        assert!(files.printed().ends_with("' not found.\nthe boot failed\n"), "{}", files.printed());
    }
}
