//! GRUB's commands (GRUB manual, "Command-line and menu entry commands").

use std::{future::Future, pin::Pin, time::Duration};

use super::{CONFIG_SIZE, Flow, Grub, Host, Loaded, NESTING};

/// Kept of a kernel or an initrd: nobody looks inside.
const KEEP: usize = 0;

impl<H: Host> Grub<'_, H> {
    pub(super) fn command<'a>(&'a mut self, arguments: &'a [String]) -> Pin<Box<dyn Future<Output = Flow> + Send + 'a>> {
        Box::pin(self.run_command(arguments))
    }

    async fn run_command(&mut self, arguments: &[String]) -> Flow {
        let Some((name, rest)) = arguments.split_first() else { return Flow::Next };
        if let Some(body) = self.functions.get(name).cloned() {
            if self.nesting >= NESTING {
                return self.fail("maximum recursion depth exceeded").await;
            }
            self.nesting += 1;
            let flow = self.block(&body).await;
            self.nesting -= 1;
            return if flow == Flow::Return { Flow::Next } else { flow };
        }
        if rest.is_empty() && is_assignment(name) {
            return self.assign(name);
        }
        match name.as_str() {
            "set" => match rest {
                [assignment] if is_assignment(assignment) => self.assign(assignment),
                _ => Flow::Next,
            },
            "unset" => {
                for name in rest {
                    self.variables.remove(name);
                }
                self.ok()
            }
            "echo" => self.echo(rest).await,
            "true" => self.ok(),
            "false" => {
                self.status = 1;
                Flow::Next
            }
            "test" => self.evaluate(rest).await,
            "[" => match rest.split_last() {
                Some((last, condition)) if last == "]" => self.evaluate(condition).await,
                _ => self.fail("missing `]'").await,
            },
            "configfile" | "source" | "." | "normal" => match (name.as_str(), rest.first()) {
                ("normal", None) => {
                    let config = format!("{}/grub.cfg", self.get("prefix"));
                    self.nested(&config, true).await
                }
                (_, None) => self.fail("filename expected").await,
                (command, Some(path)) => self.nested(path, !matches!(command, "source" | ".")).await,
            },
            "linux" | "linuxefi" | "linux16" => self.linux(rest).await,
            "initrd" | "initrdefi" | "initrd16" => self.initrd(rest).await,
            "boot" if self.loaded.is_some() => Flow::Boot,
            "boot" => self.fail("you need to load the kernel first").await,
            // handing over to the loader on the disk is what the firmware's next boot option does
            "exit" | "fwsetup" | "chainloader" | "localboot" => Flow::Exit,
            "return" => {
                self.status = rest.first().and_then(|code| code.parse().ok()).unwrap_or(self.status);
                Flow::Return
            }
            "reboot" => Flow::Reboot,
            "halt" => Flow::Halt,
            "sleep" => {
                let seconds = rest.iter().find_map(|word| word.parse::<u64>().ok()).unwrap_or(0);
                tokio::time::sleep(Duration::from_secs(seconds.min(600))).await;
                self.ok()
            }
            "cat" => match rest.first() {
                Some(path) => {
                    if let Some(file) = self.load(path, CONFIG_SIZE).await {
                        self.host.print(&file.text()).await;
                    }
                    Flow::Next
                }
                None => self.fail("filename expected").await,
            },
            "tr" => self.translate(rest).await,
            // no effect on what is fetched or booted
            "insmod" | "rmmod" | "export" | "terminal_input" | "terminal_output" | "terminal" | "serial" | "loadfont" | "clear"
            | "load_env" | "save_env" | "background_color" | "background_image" | "play" | "search" | "gfxpayload" | "net_bootp"
            | "net_dhcp" | "net_ls_addr" => self.ok(),
            other => {
                let message = format!("can't find command `{other}'");
                self.fail(&message).await
            }
        }
    }

    fn ok(&mut self) -> Flow {
        self.status = 0;
        Flow::Next
    }

    fn assign(&mut self, assignment: &str) -> Flow {
        if let Some((name, value)) = assignment.split_once('=') {
            self.variables.insert(name.to_owned(), value.to_owned());
        }
        self.ok()
    }

    async fn nested(&mut self, path: &str, own_context: bool) -> Flow {
        if own_context { Box::pin(self.config_file(path)).await } else { Box::pin(self.source(path)).await }
    }

    async fn echo(&mut self, arguments: &[String]) -> Flow {
        let mut newline = true;
        let mut escapes = false;
        let mut words = arguments;
        while let Some((first, rest)) = words.split_first() {
            match first.as_str() {
                "-n" => newline = false,
                "-e" => escapes = true,
                _ => break,
            }
            words = rest;
        }
        let mut text = words.join(" ");
        if escapes {
            text = text.replace("\\n", "\n").replace("\\t", "\t");
        }
        if newline {
            text.push('\n');
        }
        self.host.print(&text).await;
        self.ok()
    }

    async fn linux(&mut self, arguments: &[String]) -> Flow {
        let Some((path, options)) = arguments.split_first() else { return self.fail("filename expected").await };
        self.loaded = None;
        let Some(kernel) = self.load(path, KEEP).await else { return Flow::Next };
        // the device is not part of BOOT_IMAGE when it is the root device, and GRUB keeps it when written
        let cmdline = std::iter::once(format!("BOOT_IMAGE={path}")).chain(options.iter().cloned()).collect::<Vec<_>>().join(" ");
        self.loaded = Some(Loaded { kernel, cmdline, initrds: Vec::new() });
        Flow::Next
    }

    async fn initrd(&mut self, arguments: &[String]) -> Flow {
        if self.loaded.is_none() {
            return self.fail("you need to load the kernel first").await;
        }
        let mut initrds = Vec::new();
        for path in arguments {
            let Some(initrd) = self.load(path, KEEP).await else { return Flow::Next };
            initrds.push(initrd);
        }
        if let Some(loaded) = &mut self.loaded {
            loaded.initrds = initrds;
        }
        Flow::Next
    }

    /// `tr [--set VAR] [-U | -D | SET1 SET2] STRING`, sets being single characters and `a-z` ranges.
    async fn translate(&mut self, arguments: &[String]) -> Flow {
        let mut variable = None;
        let mut words = Vec::new();
        let mut arguments = arguments.iter();
        let mut sets: Option<(Vec<char>, Vec<char>)> = None;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "-s" | "--set" => variable = arguments.next().cloned(),
                "-U" | "--upcase" => sets = Some((range("a-z"), range("A-Z"))),
                "-D" | "--downcase" => sets = Some((range("A-Z"), range("a-z"))),
                _ => match argument.strip_prefix("--set=") {
                    Some(name) => variable = Some(name.to_owned()),
                    None => words.push(argument),
                },
            }
        }
        let mut words = words.into_iter();
        if sets.is_none()
            && let (Some(from), Some(to)) = (words.next(), words.next())
        {
            sets = Some((range(from), range(to)));
        }
        let (Some((from, to)), Some(text)) = (sets, words.next()) else { return self.fail("invalid argument").await };
        let translate = |c: char| match from.iter().position(|&f| f == c) {
            Some(i) => to.get(i).or(to.last()).copied(),
            None => Some(c),
        };
        let translated: String = text.chars().filter_map(translate).collect();
        match variable {
            Some(name) => {
                self.variables.insert(name, translated);
            }
            None => self.host.print(&format!("{translated}\n")).await,
        }
        self.ok()
    }

    async fn evaluate(&mut self, condition: &[String]) -> Flow {
        let mut rest = condition;
        let result = self.either(&mut rest).await;
        self.status = u32::from(!(result && rest.is_empty()));
        Flow::Next
    }

    fn either<'a, 'w>(&'a self, rest: &'a mut &'w [String]) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>>
    where
        'w: 'a,
    {
        Box::pin(async move {
            let mut result = self.both(rest).await;
            while rest.first().is_some_and(|word| word == "-o") {
                *rest = &rest[1..];
                result |= self.both(rest).await;
            }
            result
        })
    }

    async fn both(&self, rest: &mut &[String]) -> bool {
        let mut result = self.primary(rest).await;
        while rest.first().is_some_and(|word| word == "-a") {
            *rest = &rest[1..];
            result &= self.primary(rest).await;
        }
        result
    }

    async fn primary(&self, rest: &mut &[String]) -> bool {
        let words: &[String] = rest;
        let word = |i: usize| words.get(i).map(String::as_str);
        if word(0) == Some("!") {
            *rest = &rest[1..];
            return !Box::pin(self.primary(rest)).await;
        }
        if word(0) == Some("(") {
            *rest = &rest[1..];
            let result = self.either(rest).await;
            if rest.first().is_some_and(|word| word == ")") {
                *rest = &rest[1..];
            }
            return result;
        }
        if let (Some(left), Some(operator), Some(right)) = (word(0), word(1), word(2)) {
            let number = |text: &str| text.trim().parse::<i64>().unwrap_or(0);
            let result = match operator {
                "=" | "==" => Some(left == right),
                "!=" => Some(left != right),
                "<" => Some(left < right),
                ">" => Some(left > right),
                "-eq" => Some(number(left) == number(right)),
                "-ne" => Some(number(left) != number(right)),
                "-lt" => Some(number(left) < number(right)),
                "-le" => Some(number(left) <= number(right)),
                "-gt" => Some(number(left) > number(right)),
                "-ge" => Some(number(left) >= number(right)),
                _ => None,
            };
            if let Some(result) = result {
                *rest = &words[3..];
                return result;
            }
        }
        if let (Some(operator), Some(operand)) = (word(0), word(1)) {
            match operator {
                "-n" | "-z" => {
                    *rest = &words[2..];
                    return operand.is_empty() == (operator == "-z");
                }
                "-f" | "-e" | "-s" => {
                    *rest = &words[2..];
                    let Ok(location) = self.locate(operand) else { return false };
                    return self.host.fetch(&location, 0, true).await.is_ok();
                }
                "-d" => {
                    *rest = &words[2..];
                    return false;
                }
                _ => {}
            }
        }
        let Some((first, remaining)) = words.split_first() else { return false };
        *rest = remaining;
        !first.is_empty()
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

fn range(set: &str) -> Vec<char> {
    let chars: Vec<char> = set.chars().collect();
    match chars.as_slice() {
        [from, '-', to] if from <= to => (*from..=*to).collect(),
        _ => chars,
    }
}
