//! What a lab is made of.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use ipmi_wire::{
    CipherSuite,
    inventory::fru::{BoardInfo, ChassisInfo, Fru, ProductInfo},
};
use serde::{Deserialize, Deserializer};

use crate::{
    bmc::{BmcConfig, BridgeAnswers, CartridgeAddress, User},
    faults::Faults,
    machine::{
        Chassis, Firmware, MacAddress, Wiring,
        net::Net,
        pretend::{BootSource, Spec},
        qemu::Qemu,
        sensors::SensorConfig,
        timing::Timing,
    },
    port::PortFactory,
};

/// A lab to be started.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabConfig {
    /// Its machines; their names must differ.
    pub machines: Vec<MachineConfig>,
}

/// Makes the chassis a BMC controls, in place of the pretend machine. Called inside the lab's runtime.
#[derive(Clone)]
pub struct ChassisFactory(pub Arc<dyn Fn(Wiring) -> Arc<dyn Chassis> + Send + Sync>);

impl fmt::Debug for ChassisFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChassisFactory")
    }
}

impl ChassisFactory {
    /// [`Qemu`] with this program and these arguments.
    #[must_use]
    pub fn qemu(command: Vec<String>) -> Self {
        Self(Arc::new(move |wiring| Arc::new(Qemu::new(command.clone(), wiring))))
    }
}

impl<'de> Deserialize<'de> for ChassisFactory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        enum Kind {
            Qemu(Vec<String>),
        }
        let Kind::Qemu(command) = Kind::deserialize(deserializer)?;
        if command.is_empty() {
            return Err(serde::de::Error::custom("qemu = [\"qemu-system-x86_64\", …]: the program is missing"));
        }
        Ok(Self::qemu(command))
    }
}

/// One machine and its BMC.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineConfig {
    /// Shown by the firmware, and the host name when nothing else gives one.
    pub name: String,
    /// Where its BMC listens; port 0 takes a free one.
    #[serde(default = "any_port")]
    pub bmc_addr: SocketAddr,
    /// Who may log in to the BMC.
    pub users: Vec<User>,
    /// The BMC's key K_g, if log-in needs one.
    #[serde(default)]
    pub kg: Option<String>,
    /// Cipher suites the BMC offers, strongest first. In a file: numbers.
    #[serde(default = "all_suites", deserialize_with = "suites")]
    pub suites: Vec<CipherSuite>,
    /// Sessions the BMC serves at a time.
    #[serde(default = "four")]
    pub max_sessions: usize,
    /// Of the network card it boots from.
    pub mac: MacAddress,
    /// BIOS or UEFI.
    pub firmware: Firmware,
    /// Network boot program; the usual one of the firmware if not given.
    #[serde(default)]
    pub loader: Option<String>,
    /// The firmware's own boot order.
    #[serde(default = "disk_first")]
    pub boot_order: Vec<BootSource>,
    /// The TFTP server: what DHCP would say.
    pub tftp: SocketAddr,
    /// Where GRUB's `(http)` device points; port 80 of the TFTP server if not given.
    #[serde(default)]
    pub http: Option<SocketAddr>,
    /// The machine's own address; the loopback address if not given.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// Whether an operating system is on the disk.
    #[serde(default)]
    pub installed: bool,
    /// Whether it is switched on when the lab starts.
    #[serde(default)]
    pub powered: bool,
    /// How long things take.
    #[serde(default)]
    pub timing: Timing,
    /// Faults from the start.
    #[serde(default)]
    pub faults: Faults,
    /// For the dice of the faults.
    #[serde(default)]
    pub seed: u64,
    /// Bytes of serial output kept.
    #[serde(default = "history")]
    pub serial_history: usize,
    /// Machines behind this one's BMC, as in a chassis of blades.
    #[serde(default)]
    pub cartridges: Vec<CartridgeConfig>,
    /// How their answers come back.
    #[serde(default)]
    pub bridge_answers: BridgeAnswers,
    /// The inventory of the machine; made up from its name and MAC if not given.
    #[serde(default)]
    pub fru: Option<FruConfig>,
    /// Its sensors; the usual ones if none are given.
    #[serde(default)]
    pub sensors: Vec<SensorConfig>,
    /// Records its event log has room for.
    #[serde(default = "log_size")]
    pub event_log: u16,
    /// Another chassis than the pretend machine. In a file: `{ qemu = ["qemu-system-x86_64", …] }`.
    #[serde(default)]
    pub chassis: Option<ChassisFactory>,
    /// Another network for the BMC than UDP.
    #[serde(skip)]
    pub port: Option<PortFactory>,
}

impl MachineConfig {
    /// A machine without power and without an operating system, its BMC on a free port of the loopback address.
    #[must_use]
    pub fn new(name: &str, mac: MacAddress, firmware: Firmware, tftp: SocketAddr, users: Vec<User>) -> Self {
        Self {
            name: name.to_owned(),
            bmc_addr: any_port(),
            users,
            kg: None,
            suites: all_suites(),
            max_sessions: four(),
            mac,
            firmware,
            loader: None,
            boot_order: disk_first(),
            tftp,
            http: None,
            address: None,
            installed: false,
            powered: false,
            timing: Timing::default(),
            faults: Faults::default(),
            seed: 0,
            serial_history: history(),
            cartridges: Vec::new(),
            bridge_answers: BridgeAnswers::default(),
            fru: None,
            sensors: Vec::new(),
            event_log: log_size(),
            chassis: None,
            port: None,
        }
    }

    pub(super) fn spec(&self) -> Spec {
        let loopback = if self.tftp.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        Spec {
            name: self.name.clone(),
            mac: self.mac,
            firmware: self.firmware,
            loader: self.loader.clone().unwrap_or_else(|| self.firmware.default_loader().to_owned()),
            boot_order: self.boot_order.clone(),
            net: Net { tftp: self.tftp, http: self.http, source: self.address.unwrap_or(loopback), patience: self.timing.patience },
            timing: self.timing.clone(),
        }
    }

    /// A version 4 UUID in form, the same for every start: it holds the seed and the MAC.
    pub(super) fn guid(&self) -> [u8; 16] {
        let mut guid = [0x42; 16];
        guid[..4].copy_from_slice(&self.seed.to_le_bytes()[..4]);
        guid[8..10].copy_from_slice(&[0x80, 0]);
        guid[10..].copy_from_slice(&self.mac.0);
        guid
    }

    /// The inventory as stored.
    pub(super) fn inventory(&self) -> Box<[u8]> {
        let fru = self.fru.clone().unwrap_or_else(|| FruConfig::made_up(&self.name, self.mac));
        let board = BoardInfo {
            manufactured: Some(MANUFACTURED),
            manufacturer: fru.manufacturer.clone(),
            product: fru.board,
            serial: format!("B{}", fru.serial),
            part_number: fru.part_number.clone(),
            ..BoardInfo::default()
        };
        let product = ProductInfo {
            manufacturer: fru.manufacturer,
            name: fru.product,
            part_number: fru.part_number.clone(),
            version: fru.version,
            serial: fru.serial.clone(),
            asset_tag: fru.asset_tag,
            ..ProductInfo::default()
        };
        // 0x17: a rack mount chassis
        let chassis = ChassisInfo { kind: 0x17, part_number: fru.part_number, serial: fru.serial, custom: Vec::new() };
        Fru { chassis: Some(chassis), board: Some(board), product: Some(product), damaged: Vec::new() }.encode().into()
    }

    pub(super) fn bmc(&self) -> BmcConfig {
        BmcConfig {
            address: self.bmc_addr,
            users: self.users.clone(),
            kg: self.kg.clone(),
            suites: self.suites.clone(),
            guid: self.guid(),
            max_sessions: self.max_sessions,
            session_timeout: self.timing.session_timeout,
            restart: self.timing.bmc_restart,
            faults: self.faults.clone(),
            seed: self.seed,
            bridge_answers: self.bridge_answers,
            port: self.port.clone(),
        }
    }
}

/// A machine behind another one's BMC: power, boot options and console of its own, reached by bridging. What is not given
/// here is as in the machine whose BMC leads to it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CartridgeConfig {
    /// As a machine's.
    pub name: String,
    /// Where it is: `{ target = { channel = 7, address = 0x72 }, transit = { channel = 0, address = 0x82 } }`, or only `target`.
    pub at: CartridgeAddress,
    /// Of the network card it boots from.
    pub mac: MacAddress,
    /// BIOS or UEFI.
    #[serde(default)]
    pub firmware: Option<Firmware>,
    /// Network boot program.
    #[serde(default)]
    pub loader: Option<String>,
    /// The firmware's own boot order.
    #[serde(default)]
    pub boot_order: Option<Vec<BootSource>>,
    /// Its own address.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// Whether an operating system is on the disk.
    #[serde(default)]
    pub installed: bool,
    /// Whether it is switched on when the lab starts.
    #[serde(default)]
    pub powered: bool,
    /// Whether a reset is refused with 0x80, as by the cartridges of HP's Moonshot; a cycle is not.
    #[serde(default)]
    pub refuses_reset: bool,
    /// Another chassis than the pretend machine. In a file: `{ qemu = ["qemu-system-x86_64", …] }`.
    #[serde(default)]
    pub chassis: Option<ChassisFactory>,
}

impl CartridgeConfig {
    /// A cartridge of HP's Moonshot: found by double bridging, and deaf to resets.
    #[must_use]
    pub fn moonshot(name: &str, number: u8, mac: MacAddress) -> Self {
        Self {
            name: name.to_owned(),
            at: CartridgeAddress::moonshot(number),
            mac,
            firmware: None,
            loader: None,
            boot_order: None,
            address: None,
            installed: false,
            powered: false,
            refuses_reset: true,
            chassis: None,
        }
    }

    /// What the machine would be called if it had a BMC of its own.
    pub(super) fn machine(&self, host: &MachineConfig) -> MachineConfig {
        MachineConfig {
            name: self.name.clone(),
            mac: self.mac,
            firmware: self.firmware.unwrap_or(host.firmware),
            loader: self.loader.clone().or_else(|| host.loader.clone().filter(|_| self.firmware.is_none())),
            boot_order: self.boot_order.clone().unwrap_or_else(|| host.boot_order.clone()),
            address: self.address.or(host.address),
            installed: self.installed,
            powered: self.powered,
            chassis: self.chassis.clone(),
            cartridges: Vec::new(),
            // its own, not the chassis'
            fru: None,
            ..host.clone()
        }
    }
}

/// The inventory of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FruConfig {
    /// Who made it.
    pub manufacturer: String,
    /// What it is sold as.
    pub product: String,
    /// The main board's name.
    pub board: String,
    /// Of the product and the board.
    pub part_number: String,
    /// Of the product.
    pub version: String,
    /// Of the product; the board's is the same with a B before it.
    pub serial: String,
    /// The owner's own number.
    pub asset_tag: String,
}

impl Default for FruConfig {
    fn default() -> Self {
        Self::made_up("machine", MacAddress([0; 6]))
    }
}

impl FruConfig {
    fn made_up(name: &str, mac: MacAddress) -> Self {
        let [.., a, b, c] = mac.0;
        Self {
            manufacturer: "Pretend Machines".to_owned(),
            product: "Pretend Server 1000".to_owned(),
            board: "PB-1".to_owned(),
            part_number: "PM1000-01".to_owned(),
            version: "1.0".to_owned(),
            serial: format!("PM{a:02X}{b:02X}{c:02X}"),
            asset_tag: name.to_owned(),
        }
    }
}

/// 2024-01-01: when all these boards were made.
const MANUFACTURED: u64 = 1_704_067_200;

fn log_size() -> u16 {
    512
}

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn all_suites() -> Vec<CipherSuite> {
    CipherSuite::ALL.to_vec()
}

fn four() -> usize {
    4
}

fn disk_first() -> Vec<BootSource> {
    vec![BootSource::Disk, BootSource::Network]
}

fn history() -> usize {
    64 * 1024
}

fn suites<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<CipherSuite>, D::Error> {
    let unknown = |id| serde::de::Error::custom(format!("cipher suite {id} is not offered: 3 or 17"));
    Vec::<u8>::deserialize(deserializer)?.into_iter().map(|id| CipherSuite::from_id(id).ok_or_else(|| unknown(id))).collect()
}
