//! GRUB started over the network: it asks for `$prefix/grub.cfg` and does what that says.
//!
//! The subset is what network configurations use: variables, conditions, loops, functions, menus, `configfile` and
//! `source`, `linux` and `initrd`, `exit`. A command outside it is answered as GRUB answers a command it cannot find.

use std::{collections::HashMap, fmt::Write as _, future::Future, pin::Pin, time::Duration};

use super::super::net::{FetchError, Fetched, Location};
use script::{Part, Statement, Word};

mod builtins;
mod script;

/// What the evaluator needs of the machine.
pub(crate) trait Host: Send + Sync {
    /// Fetches a file; with `probe` only its existence matters.
    fn fetch(&self, location: &Location, keep: usize, probe: bool) -> impl Future<Output = Result<Fetched, FetchError>> + Send;
    /// Prints on the console; `\n` ends a line.
    fn print(&self, text: &str) -> impl Future<Output = ()> + Send;
    /// Waits for a key, for ever if `limit` is `None`.
    fn key(&self, limit: Option<Duration>) -> impl Future<Output = Option<u8>> + Send;
    /// Where the device `(http)` points.
    fn http_base(&self) -> String;
}

/// A kernel that `linux` loaded.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) kernel: Fetched,
    pub(crate) cmdline: String,
    pub(crate) initrds: Vec<Fetched>,
}

/// How GRUB ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// `exit`: the firmware goes on with its boot order.
    Exit,
    /// `boot` with a kernel loaded.
    Linux(Box<Loaded>),
    /// `reboot`.
    Reboot,
    /// `halt`.
    Halt,
    /// Nothing to boot: GRUB stays at its prompt.
    Prompt,
}

/// What a statement does to the flow of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Return,
    Exit,
    Boot,
    Reboot,
    Halt,
}

#[derive(Debug, Clone)]
struct Entry {
    title: String,
    id: Option<String>,
    body: Vec<Statement>,
    submenu: bool,
}

type Evaluation<'a> = Pin<Box<dyn Future<Output = Flow> + Send + 'a>>;

/// Statements one boot may execute: ends scripts that loop.
const STEPS: u32 = 20_000;
/// `configfile` within `configfile` and so on.
const NESTING: u32 = 16;
const CONFIG_SIZE: usize = 256 * 1024;

pub(crate) struct Grub<'h, H> {
    host: &'h H,
    variables: HashMap<String, String>,
    functions: HashMap<String, Vec<Statement>>,
    menu: Vec<Entry>,
    loaded: Option<Loaded>,
    status: u32,
    steps: u32,
    nesting: u32,
    /// An error was printed since the entry began: GRUB then waits for a key before the menu returns.
    complained: bool,
}

impl<'h, H: Host> Grub<'h, H> {
    /// `variables` are those the loader's core sets before any script: `prefix`, `root`, `net_default_mac` and so on.
    pub(crate) fn new(host: &'h H, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            host,
            variables: variables.into_iter().collect(),
            functions: HashMap::new(),
            menu: Vec::new(),
            loaded: None,
            status: 0,
            steps: 0,
            nesting: 0,
            complained: false,
        }
    }

    /// Runs `$prefix/grub.cfg` to its end.
    pub(crate) async fn run(mut self) -> Outcome {
        let config = format!("{}/grub.cfg", self.get("prefix"));
        let flow = self.config_file(&config).await;
        match flow {
            Flow::Exit => Outcome::Exit,
            Flow::Reboot => Outcome::Reboot,
            Flow::Halt => Outcome::Halt,
            Flow::Boot => self.loaded.map_or(Outcome::Prompt, |loaded| Outcome::Linux(Box::new(loaded))),
            Flow::Next | Flow::Return => {
                self.host
                    .print("\n                             GNU GRUB  version 2.06\n\n   Minimal BASH-like line editing is supported. For the first word, TAB\n   lists possible command completions.\n\ngrub> ")
                    .await;
                Outcome::Prompt
            }
        }
    }

    fn get(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    async fn fail(&mut self, message: &str) -> Flow {
        self.host.print(&format!("error: {message}.\n")).await;
        self.status = 1;
        self.complained = true;
        Flow::Next
    }

    /// Reads a configuration in a context of its own and shows its menu, if it has one.
    async fn config_file(&mut self, path: &str) -> Flow {
        let outer = std::mem::take(&mut self.menu);
        let mut flow = self.source(path).await;
        if matches!(flow, Flow::Next | Flow::Return) && !self.menu.is_empty() {
            flow = self.show_menu().await;
        }
        self.menu = outer;
        if flow == Flow::Return { Flow::Next } else { flow }
    }

    /// Reads a script into the present context.
    async fn source(&mut self, path: &str) -> Flow {
        if self.nesting >= NESTING {
            return self.fail("maximum recursion depth exceeded").await;
        }
        let Some(fetched) = self.load(path, CONFIG_SIZE).await else { return Flow::Next };
        match script::parse(&fetched.text()) {
            Ok(block) => {
                self.nesting += 1;
                let flow = self.block(&block).await;
                self.nesting -= 1;
                flow
            }
            Err(message) => self.fail(&message).await,
        }
    }

    async fn load(&mut self, path: &str, keep: usize) -> Option<Fetched> {
        let problem = match self.locate(path) {
            Ok(location) => match self.host.fetch(&location, keep, false).await {
                Ok(fetched) => {
                    self.status = 0;
                    return Some(fetched);
                }
                Err(error) if error.not_found() => format!("file `{}' not found", without_device(path)),
                Err(FetchError::Timeout) => format!("timeout reading `{}'", without_device(path)),
                Err(FetchError::Tftp { message, .. }) => message,
                Err(FetchError::Http { status, reason }) => format!("unsupported HTTP error {status}: {reason}"),
                Err(other) => other.to_string(),
            },
            Err(problem) => problem,
        };
        self.fail(&problem).await;
        None
    }

    /// Which file a path names: `(device)/path`, or a path on `$root`.
    fn locate(&self, path: &str) -> Result<Location, String> {
        let (device, path) = match path.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            Some(split) => split,
            None => (self.get("root"), path),
        };
        if path.is_empty() {
            return Err("invalid file name `'".into());
        }
        let (kind, server) = device.split_once(',').unwrap_or((device, ""));
        match kind {
            "tftp" | "pxe" => Ok(Location::Tftp(path.to_owned())),
            "http" if server.is_empty() => Ok(Location::Url(format!("{}{path}", self.host.http_base()))),
            "http" => Ok(Location::Url(format!("http://{server}{path}"))),
            "" => Err("no device is set".into()),
            other => Err(format!("disk `{other}' not found")),
        }
    }

    fn block<'a>(&'a mut self, block: &'a [Statement]) -> Evaluation<'a> {
        Box::pin(async move {
            for statement in block {
                self.steps += 1;
                if self.steps > STEPS {
                    // what a person at the console would see: GRUB busy for ever; better to say so
                    self.fail("the script does not end").await;
                    return Flow::Return;
                }
                let flow = self.statement(statement).await;
                if flow != Flow::Next {
                    return flow;
                }
            }
            Flow::Next
        })
    }

    async fn statement(&mut self, statement: &Statement) -> Flow {
        match statement {
            Statement::Command(words) => {
                let arguments = self.expand(words);
                self.command(&arguments).await
            }
            Statement::If(branches, otherwise) => {
                for (condition, body) in branches {
                    let flow = self.block(condition).await;
                    if flow != Flow::Next {
                        return flow;
                    }
                    if self.status == 0 {
                        return self.block(body).await;
                    }
                }
                self.status = 0;
                self.block(otherwise).await
            }
            Statement::While(wanted, condition, body) => loop {
                let flow = self.block(condition).await;
                if flow != Flow::Next {
                    return flow;
                }
                if (self.status == 0) != *wanted {
                    self.status = 0;
                    return Flow::Next;
                }
                let flow = self.block(body).await;
                if flow != Flow::Next {
                    return flow;
                }
            },
            Statement::For(name, words, body) => {
                for value in self.expand(words) {
                    self.variables.insert(name.clone(), value);
                    let flow = self.block(body).await;
                    if flow != Flow::Next {
                        return flow;
                    }
                }
                Flow::Next
            }
            Statement::Function(name, body) => {
                self.functions.insert(name.clone(), body.clone());
                Flow::Next
            }
            Statement::Menu(entry, words, body) => {
                let arguments = self.expand(words);
                let mut title = None;
                let mut id = None;
                let mut rest = arguments.into_iter();
                while let Some(argument) = rest.next() {
                    match argument.as_str() {
                        "--id" => id = rest.next(),
                        "--class" | "--users" | "--hotkey" => drop(rest.next()),
                        other => match other.strip_prefix("--id=") {
                            Some(value) => id = Some(value.to_owned()),
                            None if other.starts_with("--") => {}
                            None => title = title.or(Some(argument)),
                        },
                    }
                }
                self.menu.push(Entry { title: title.unwrap_or_default(), id, body: body.clone(), submenu: !entry });
                Flow::Next
            }
        }
    }

    fn expand(&self, words: &[Word]) -> Vec<String> {
        let mut arguments = Vec::new();
        for word in words {
            let mut current = String::new();
            let mut any = word.quoted;
            for part in &word.parts {
                match part {
                    Part::Text(text) => {
                        current.push_str(text);
                        any = true;
                    }
                    Part::Variable { name, quoted } => {
                        let status = self.status.to_string();
                        let value = if name == "?" { status.as_str() } else { self.get(name) };
                        if *quoted {
                            current.push_str(value);
                            continue;
                        }
                        for (i, piece) in value.split_whitespace().enumerate() {
                            if i > 0 {
                                arguments.push(std::mem::take(&mut current));
                            }
                            current.push_str(piece);
                            any = true;
                        }
                    }
                }
            }
            if any {
                arguments.push(current);
            }
        }
        arguments
    }

    /// The menu: waits `$timeout` seconds for a key (for ever if unset), then runs `$default`.
    async fn show_menu(&mut self) -> Flow {
        let entries = self.menu.clone();
        let mut timeout = self.get("timeout").parse::<i64>().ok().and_then(|seconds| u64::try_from(seconds).ok());
        loop {
            let mut chosen = self.default_entry(&entries);
            if timeout != Some(0) {
                let mut screen = String::from("\n                             GNU GRUB  version 2.06\n\n");
                for (i, entry) in entries.iter().enumerate() {
                    let _ = writeln!(screen, " {}{}", if i == chosen { '*' } else { ' ' }, entry.title);
                }
                match timeout {
                    Some(seconds) => {
                        let _ = writeln!(screen, "\n   The highlighted entry will be executed automatically in {seconds}s.");
                    }
                    None => screen.push_str("\n   Use the v and ^ keys to select, press Enter to boot the selected entry.\n"),
                }
                self.host.print(&screen).await;
                let mut limit = timeout.map(Duration::from_secs);
                loop {
                    match self.host.key(limit).await {
                        None | Some(b'\r' | b'\n') => break,
                        // any key stops the countdown
                        Some(key) => {
                            limit = None;
                            match key {
                                b'v' | b'n' | b'B' => chosen = (chosen + 1).min(entries.len() - 1),
                                b'^' | b'p' | b'A' => chosen = chosen.saturating_sub(1),
                                _ => continue,
                            }
                            self.host.print(&format!(" *{}\n", entries[chosen].title)).await;
                        }
                    }
                }
            }
            let entry = &entries[chosen];
            self.host.print(&format!("  Booting `{}'\n\n", entry.title)).await;
            self.variables.insert("chosen".into(), entry.title.clone());
            self.complained = false;
            let flow = if entry.submenu {
                let outer = std::mem::take(&mut self.menu);
                let mut flow = self.block(&entry.body).await;
                if matches!(flow, Flow::Next | Flow::Return) && !self.menu.is_empty() {
                    flow = Box::pin(self.show_menu()).await;
                }
                self.menu = outer;
                flow
            } else {
                self.block(&entry.body).await
            };
            match flow {
                // a loaded kernel is booted at an entry's end
                Flow::Next | Flow::Return if self.loaded.is_some() && !self.complained => return Flow::Boot,
                Flow::Next | Flow::Return => {
                    self.loaded = None;
                    if self.complained {
                        self.host.print("\nPress any key to continue...").await;
                        let _ = self.host.key(Some(Duration::from_secs(10))).await;
                    }
                    timeout = None;
                }
                other => return other,
            }
        }
    }

    fn default_entry(&self, entries: &[Entry]) -> usize {
        let wanted = self.get("default");
        let by_name = || entries.iter().position(|e| e.id.as_deref() == Some(wanted) || e.title == wanted);
        wanted.parse::<usize>().ok().filter(|&i| i < entries.len()).or_else(by_name).unwrap_or(0)
    }
}

/// GRUB's messages name a file without its device.
fn without_device(path: &str) -> &str {
    path.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(path, |(_, path)| path)
}

#[cfg(test)]
mod tests;
