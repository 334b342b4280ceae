//! The columns in which our client talks to a simulated BMC.

use std::time::Duration;

use ipmi_client::{
    BootFlags, ChassisControl, ChassisStatus, Client, Error, ErrorKind, Hop, NetFn, Privilege, Route, Secret, SolEvent, SolOptions, Stage,
    Target,
};
use ipmi_wire::command::GetChassisStatus;
use tokio::time::timeout;

use crate::host::answer;
use crate::run::{Checked, LIMIT};
use crate::sims::{Bmc, NEAR, PASSWORD};
use crate::table::Row;

pub async fn check(bmc: &impl Bmc, row: Row) -> Checked {
    let client = Client::new(Target::new(bmc.addr(), "admin", Secret::new(PASSWORD)));
    let result = perform(&client, bmc, row).await;
    client.close().await;
    result
}

async fn perform(client: &Client, bmc: &impl Bmc, row: Row) -> Checked {
    match row {
        Row::Session => session(client, bmc).await,
        Row::Power(control) => power(client, bmc, control).await,
        Row::Boot(flags) => boot(client, bmc, flags).await,
        Row::Sol => sol(client).await,
        Row::SingleBridge => bridge(client, bmc, Route::Single(Hop { channel: 0, address: NEAR })).await,
        Row::DoubleBridge => {
            let cartridge = Route::Double { transit: Hop { channel: 0, address: 0x82 }, target: Hop { channel: 7, address: 0x72 } };
            bridge(client, bmc, cartridge).await
        }
        Row::WrongUser => {
            refused(bmc, "nobody", PASSWORD, |kind| {
                // a BMC that says nothing to strangers
                let silent = matches!(kind, ErrorKind::NoAnswer { stage: Stage::Authentication, .. });
                *kind == ErrorKind::UnknownUser || (silent && bmc.but(row).is_some())
            })
            .await
        }
        Row::WrongPassword => refused(bmc, "admin", "wrong", |kind| *kind == ErrorKind::WrongPassword).await,
        Row::LowPrivilege => low_privilege(bmc).await,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn said(error: Error) -> String {
    error.to_string()
}

async fn status(client: &Client) -> Result<ChassisStatus, String> {
    client.chassis_status().await.map_err(said)
}

async fn session(client: &Client, bmc: &impl Bmc) -> Checked {
    status(client).await?;
    if client.strongest_suite() != Some(bmc.suite()) {
        return Err(format!("{:?} was used instead of {:?}", client.strongest_suite(), bmc.suite()));
    }
    // closed, and opened again
    client.close().await;
    status(client).await.map(drop)
}

/// Brings the host into the state in which the command is possible, and sees that it alone arrives there.
async fn power(client: &Client, bmc: &impl Bmc, control: ChassisControl) -> Checked {
    let on_before = control != ChassisControl::PowerUp;
    if status(client).await?.power_on() != on_before {
        let prepare = if on_before { ChassisControl::PowerUp } else { ChassisControl::PowerDown };
        client.chassis_control(prepare).await.map_err(said)?;
    }
    let before = bmc.log().len();
    client.chassis_control(control).await.map_err(said)?;
    let words = bmc.words(control);
    // `ipmi_sim` takes some seconds over a cycle
    for _ in 0..100 {
        if bmc.log().len() >= before + words.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let log = bmc.log();
    if log[before..] != words {
        return Err(format!("the host was told {:?}", &log[before..]));
    }
    let on_after = !matches!(control, ChassisControl::PowerDown | ChassisControl::SoftShutdown);
    if status(client).await?.power_on() != on_after {
        return Err(format!("power is not {}", if on_after { "on" } else { "off" }));
    }
    Ok(())
}

async fn boot(client: &Client, bmc: &impl Bmc, flags: BootFlags) -> Checked {
    let before = bmc.log().len();
    client.set_boot_flags(flags).await.map_err(said)?;
    let got = client.boot_flags().await.map_err(said)?;
    if got != flags {
        return Err(format!("read back {got:?}"));
    }
    match bmc.boot_words(flags) {
        Some(words) if bmc.log()[before..] != [words.as_str()] => Err(format!("the host was told {:?}", &bmc.log()[before..])),
        _ => Ok(()),
    }
}

async fn sol(client: &Client) -> Checked {
    if !status(client).await?.power_on() {
        client.chassis_control(ChassisControl::PowerUp).await.map_err(said)?;
    }
    let mut sol = client.open_sol(SolOptions::default()).await.map_err(said)?;
    let writer = sol.writer();
    // `ipmi_sim` takes a moment to find the serial port, and drops what is typed before: a person would type again
    let typing = tokio::spawn(async move {
        while writer.write("matrix\r".into()).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    });
    let wanted = answer("matrix");
    let mut seen = String::new();
    let read = async {
        while !seen.contains(&wanted) {
            match sol.recv().await {
                Some(SolEvent::Data(data)) => seen += &String::from_utf8_lossy(&data),
                Some(SolEvent::Closed(reason)) => return Err(reason.to_string()),
                Some(_) => {}
                None => return Err("closed".into()),
            }
        }
        Ok(())
    };
    let result = timeout(LIMIT, read).await.unwrap_or_else(|_| Err("nothing printed".into()));
    typing.abort();
    result.map_err(|error| format!("{error}; on the screen: {seen:?}"))
}

/// Asks a controller behind the BMC who it is; where it has a chassis, switches it and leaves the host alone.
async fn bridge(client: &Client, bmc: &impl Bmc, route: Route) -> Checked {
    let device = client.request_via(route, NetFn::APP, 0, 0x01, &[]).await.map_err(said)?;
    if !device.code.is_ok() || device.data.len() < 11 {
        return Err(format!("Get Device ID: {device:?}"));
    }
    if !bmc.has_chassis_behind() {
        return Ok(());
    }
    let host = status(client).await?.power_on();
    client.command(route, &ChassisControl::PowerUp).await.map_err(said)?;
    for _ in 0..100 {
        if client.command(route, &GetChassisStatus).await.map_err(said)?.power_on() {
            let left_alone = status(client).await?.power_on() == host;
            return if left_alone { Ok(()) } else { Err("the BMC's own host was switched".into()) };
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("the controller's chassis did not switch on".into())
}

async fn refused(bmc: &impl Bmc, user: &str, password: &str, fits: impl Fn(&ErrorKind) -> bool) -> Checked {
    let mut target = Target::new(bmc.addr(), user, Secret::new(password));
    target.timeouts.request = Duration::from_secs(3);
    match Client::new(target).chassis_status().await {
        Err(error) if fits(&error.kind) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

async fn low_privilege(bmc: &impl Bmc) -> Checked {
    let mut target = Target::new(bmc.addr(), "user", Secret::new(PASSWORD));
    match Client::new(target.clone()).chassis_status().await {
        Err(error) if matches!(error.kind, ErrorKind::PrivilegeRefused { .. }) => {}
        other => return Err(format!("ADMINISTRATOR for an account of level USER: {other:?}")),
    }
    target.privilege = Privilege::User;
    let client = Client::new(target);
    status(&client).await?;
    let before = bmc.log().len();
    let result = client.chassis_control(ChassisControl::PowerUp).await;
    client.close().await;
    match result {
        Err(error) if error.to_string().contains("insufficient privilege") && bmc.log().len() == before => Ok(()),
        other => Err(format!("power on: {other:?}")),
    }
}
