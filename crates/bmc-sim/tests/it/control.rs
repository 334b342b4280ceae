//! A lab under the hands of a script, over its control socket.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    process::Command,
    time::timeout,
};

use crate::support::{LIMIT, run};

struct Script {
    lines: Lines<BufReader<OwnedReadHalf>>,
    output: OwnedWriteHalf,
}

impl Script {
    /// Everything up to `ok` or `error: …`.
    async fn say(&mut self, line: &str) -> Vec<String> {
        self.output.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        loop {
            let next = timeout(LIMIT, self.lines.next_line()).await.unwrap().unwrap().unwrap();
            let last = next == "ok" || next.starts_with("error: ");
            answer.push(next);
            if last {
                return answer;
            }
        }
    }

    async fn until(&mut self, line: &str, wanted: &str) {
        let mut seen = Vec::new();
        for _ in 0..2000 {
            seen = self.say(line).await;
            if seen.first().is_some_and(|first| first == wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{line}: {seen:?}, not {wanted}");
    }
}

#[tokio::test]
async fn machines_obey_a_script() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("control");
    let mut command = Command::new(env!("CARGO_BIN_EXE_bmc-sim"));
    command.args(["--count", "2", "--base-port", "0", "--instant", "--cartridges", "1", "--control", socket.to_str().unwrap()]);
    let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut printed = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut port = String::new();
    loop {
        let line = timeout(LIMIT, printed.next_line()).await.unwrap().unwrap().expect("it is ready at last");
        if let Some(rest) = line.strip_prefix("sim-1 bmc=127.0.0.1:") {
            port = rest.split(' ').next().unwrap().to_owned();
        }
        if line.ends_with("machines are ready") {
            break;
        }
    }
    let (input, output) = UnixStream::connect(&socket).await.unwrap().into_split();
    let mut script = Script { lines: BufReader::new(input).lines(), output };
    let names: Vec<String> = script.say("list").await.iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(names, ["sim-1", "sim-1-c1", "sim-2", "sim-2-c1", "ok"]);

    assert_eq!(script.say("sim-1 power on").await, ["ok"]);
    script.until("sim-1 power", "sim-1 power on").await;
    assert_eq!(script.say("* power").await[1..4], ["sim-1-c1 power off", "sim-2 power off", "sim-2-c1 power off"]);
    assert_eq!(script.say("sim-2 power reset").await, ["error: sim-2: not possible in the present power state"]);
    assert_eq!(script.say("sim-1 sensor CPU Temp = 99").await, ["ok"]);
    assert!(script.say("sim-1 events").await.iter().any(|line| line.contains("Upper Critical going high")));

    assert_eq!(script.say("sim-1 faults loss=0.25 mute=ping,06:01").await, ["ok"]);
    assert_eq!(script.say("sim-1 faults sol=held").await, ["ok"]);
    assert_eq!(script.say("sim-1 faults").await[0], "sim-1 faults loss=0.25 mute=ping,06:01 sol=held");
    assert_eq!(script.say("sim-2 faults").await[0], "sim-2 faults none");
    assert_eq!(script.say("sim-1 faults none no_sessions=true").await, ["ok"]);
    let login = ["-I", "lanplus", "-H", "127.0.0.1", "-p", &port, "-C", "17", "-R", "1", "-N", "1", "-U", "admin", "-P", "simulated"];
    let output = run("ipmitool", "ipmitool", &[&login[..], &["-v", "power", "status"]].concat()).await;
    let message = crate::support::all(&output);
    assert!(!output.status.success() && message.contains("insufficient resources for session"), "{message}");
    script.say("* faults none").await;
    let output = run("ipmitool", "ipmitool", &[&login[..], &["power", "status"]].concat()).await;
    assert_eq!(crate::support::stdout(&output), "Chassis Power is on");
    assert!(script.say("sim-1 counters").await[0].contains("sessions=1"));
    assert_eq!(script.say("sim-1 restart-bmc").await, ["ok"]);
    assert_eq!(script.say("sim-1 deactivate-sol").await, ["error: sim-1: SOL is not active"]);
    for wrong in ["nobody power on", "sim-1", "sim-1 dance", "sim-1 faults loss=2", "sim-1 sensor X=1", "sim-1 power up"] {
        assert!(script.say(wrong).await[0].starts_with("error: "), "{wrong}");
    }
    // it tidies up
    let id = child.id().unwrap().to_string();
    run("procps", "kill", &["-TERM", &id]).await;
    assert!(timeout(LIMIT, child.wait()).await.unwrap().unwrap().success());
    assert!(!socket.exists());
}
