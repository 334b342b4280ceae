//! `/dhcp/ipv4`: what Kea asks and tells through the original's hook library (mr-provisioner-kea), which takes any status of
//! 300 and more as "use your defaults". No login: see [`super::companion`].

use std::net::Ipv4Addr;

use app::api::MacAddr;
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::{
    http::{
        error,
        extract::{Body, Query},
    },
    lab::{
        Lab, LabError,
        discovery::{self, Said},
        leases::{self, Subnet},
    },
};

pub fn router() -> Router<Lab> {
    Router::new()
        .route("/dhcp/ipv4", get(offer))
        .route("/dhcp/ipv4/seen", post(seen))
        .route("/dhcp/ipv4/lease", post(lease))
        .route("/dhcp/ipv4/subnet", post(subnet))
        .method_not_allowed_fallback(error::wrong_method)
}

/// RFC 2132: Host Name, and Bootfile Name; RFC 4578: Client System Architecture Type.
const HOST_NAME: u32 = 12;
const BOOTFILE: u32 = 67;
const CLIENT_ARCHITECTURE: u32 = 93;

#[derive(Deserialize)]
struct Asked {
    hwaddr: Option<String>,
}

/// The hook reads values as texts only.
#[derive(Serialize)]
struct OptionAnswer {
    option: u32,
    value: String,
}

#[derive(Serialize)]
struct OfferAnswer {
    options: Vec<OptionAnswer>,
    /// An address: the hook throws at names.
    #[serde(rename = "next-server", skip_serializing_if = "Option::is_none")]
    next_server: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4: Option<Ipv4Addr>,
}

async fn offer(State(lab): State<Lab>, Query(asked): Query<Asked>) -> Result<Json<OfferAnswer>, LabError> {
    let mac = asked.hwaddr.ok_or_else(|| LabError::invalid("hwaddr is required"))?;
    let offer = leases::offer(&lab, &MacAddr::parse(&mac).map_err(LabError::invalid)?).await?;
    let options = offer.bootfile.map(|value| OptionAnswer { option: BOOTFILE, value }).into_iter().collect();
    Ok(Json(OfferAnswer { options, next_server: offer.next_server, ipv4: offer.ipv4 }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LeaseTold {
    mac: MacAddr,
    ipv4: Ipv4Addr,
    /// Not a lease's end: the hook sends option 59 or 0.
    #[serde(rename = "duration")]
    _duration: u64,
}

async fn lease(State(lab): State<Lab>, Body(told): Body<LeaseTold>) -> Result<StatusCode, LabError> {
    leases::record(&lab, &told.mac, told.ipv4).await?;
    Ok(StatusCode::CREATED)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeenTold {
    discover: bool,
    mac: MacAddr,
    options: Vec<OptionTold>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OptionTold {
    option: u32,
    value: OptionValue,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OptionValue {
    Number(i64),
    Text(String),
}

impl OptionValue {
    fn into_text(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }

    fn as_number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
        }
    }
}

/// 200: a machine's; 202: nobody's, kept for the admins.
async fn seen(State(lab): State<Lab>, Body(told): Body<SeenTold>) -> Result<StatusCode, LabError> {
    let mut said = Said::default();
    for OptionTold { option, value } in told.options {
        match option {
            CLIENT_ARCHITECTURE => said.arch_code = value.as_number(),
            HOST_NAME => said.hostname = Some(value.into_text()),
            _ => {}
        }
    }
    let known = discovery::seen(&lab, &told.mac, told.discover, said).await?;
    Ok(if known { StatusCode::OK } else { StatusCode::ACCEPTED })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubnetsTold {
    mac: MacAddr,
    subnets: Vec<SubnetTold>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SubnetTold {
    subnet_id: i64,
    prefix: Ipv4Addr,
    prefix_len: u8,
    pools: Vec<PoolTold>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PoolTold {
    #[serde(rename = "poolId")]
    _pool_id: serde_json::Number,
    #[serde(rename = "capacity")]
    _capacity: serde_json::Number,
    #[serde(rename = "firstIP")]
    first_ip: Ipv4Addr,
    #[serde(rename = "lastIP")]
    _last_ip: Ipv4Addr,
}

#[derive(Serialize)]
struct SubnetAnswer {
    #[serde(rename = "subnetId")]
    subnet_id: Option<i64>,
}

async fn subnet(State(lab): State<Lab>, Body(told): Body<SubnetsTold>) -> Result<Json<SubnetAnswer>, LabError> {
    let mut subnets = Vec::with_capacity(told.subnets.len());
    for subnet in told.subnets {
        let net = Ipv4Net::new(subnet.prefix, subnet.prefix_len)
            .map_err(|_| LabError::invalid(format!("prefixLen: {} is not between 0 and 32", subnet.prefix_len)))?;
        let pools = subnet.pools.into_iter().map(|pool| pool.first_ip).collect();
        subnets.push(Subnet { id: subnet.subnet_id, net: net.trunc(), pools });
    }
    Ok(Json(SubnetAnswer { subnet_id: leases::subnet(&lab, &told.mac, &subnets).await? }))
}
