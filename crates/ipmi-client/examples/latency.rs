//! How long a power status takes: `latency ADDRESS:PORT USER COUNT`, the password in `IPMI_PASSWORD`.
//!
//! Prints two medians in microseconds: with a session that is kept, and with a session of its own for each.

use std::{
    error::Error,
    net::SocketAddr,
    time::{Duration, Instant},
};

use ipmi_client::{Client, Secret, Target};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, user, count] = arguments.as_slice() else {
        return Err("usage: latency ADDRESS:PORT USER COUNT".into());
    };
    let (address, count): (SocketAddr, usize) = (address.parse()?, count.parse()?);
    let target = || Ok::<_, std::env::VarError>(Target::new(address, user.clone(), Secret::new(std::env::var("IPMI_PASSWORD")?)));

    let client = Client::new(target()?);
    // opens the session, and learns what the BMC never answers
    client.chassis_status().await?;
    let mut kept = Vec::with_capacity(count);
    for _ in 0..count {
        let since = Instant::now();
        client.chassis_status().await?;
        kept.push(since.elapsed());
    }
    client.close().await;

    let mut fresh = Vec::with_capacity(count);
    for _ in 0..count {
        let since = Instant::now();
        let client = Client::new(target()?);
        client.chassis_status().await?;
        client.close().await;
        fresh.push(since.elapsed());
    }
    println!("kept {}", median(kept).as_micros());
    println!("fresh {}", median(fresh).as_micros());
    Ok(())
}

fn median(mut values: Vec<Duration>) -> Duration {
    values.sort_unstable();
    values[values.len() / 2]
}
