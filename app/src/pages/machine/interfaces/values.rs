//! What is read from an interface, and made of it again.

use crate::api::{ConfigTypeV4, FreeAddresses, Id, Identifier, Interface, InterfaceChange, Ipv4, MacAddr, NewInterface};

pub(super) fn network_words(interface: &Interface) -> String {
    match (&interface.network_name, &interface.subnetv4) {
        (Some(name), Some(subnet)) => format!("{name} ({subnet})"),
        (Some(name), None) => name.clone(),
        (None, _) => "–".into(),
    }
}

pub(super) fn address_words(interface: &Interface) -> String {
    let address = interface.configured_ipv4.as_deref().unwrap_or_default();
    match interface.config_type_v4 {
        ConfigTypeV4::Dynamic => "DHCP".into(),
        ConfigTypeV4::DynamicReserved => format!("{address} (DHCP, reserved)"),
        ConfigTypeV4::Static => format!("{address} (static)"),
    }
}

pub(super) fn config_word(kind: ConfigTypeV4) -> &'static str {
    match kind {
        ConfigTypeV4::Dynamic => "dynamic",
        ConfigTypeV4::DynamicReserved => "dynamic-reserved",
        ConfigTypeV4::Static => "static",
    }
}

pub(super) fn config_parse(word: &str) -> ConfigTypeV4 {
    match word {
        "dynamic-reserved" => ConfigTypeV4::DynamicReserved,
        "static" => ConfigTypeV4::Static,
        _ => ConfigTypeV4::Dynamic,
    }
}

/// Whether a sentence of the server is about the address.
pub(super) fn is_of_address(error: &str) -> bool {
    ["IP out of range", "in use in network", "requires an IPv4", "valid IPv4", "no more IPs"].iter().any(|words| error.contains(words))
}

/// What the address field takes.
pub(super) fn parse_address(text: &str) -> Result<String, String> {
    if text.trim() == "auto" { Ok("auto".into()) } else { Ipv4::parse(text).map(Ipv4::into_string) }
}

/// What makes a removed interface again.
pub(super) fn as_new(interface: &Interface) -> Option<NewInterface> {
    Some(NewInterface {
        mac: MacAddr::parse(&interface.mac).ok()?,
        identifier: Identifier::parse(&interface.identifier).ok(),
        network_id: interface.network_id.map(Id),
        config_type_v4: Some(interface.config_type_v4),
        configured_ipv4: interface.configured_ipv4.clone(),
    })
}

/// What makes a changed interface what it was. None: it was not within the rules of today.
pub(super) fn way_back(before: &Interface, made: &Interface) -> Option<InterfaceChange> {
    let mac = MacAddr::parse(&before.mac).ok()?;
    Some(InterfaceChange {
        identifier: Some(Identifier::parse(&before.identifier).ok()),
        // administrators only, and only what is not so already
        mac: (made.mac != before.mac).then_some(mac),
        network_id: (made.network_id != before.network_id).then_some(before.network_id.map(Id)),
        config_type_v4: Some(before.config_type_v4),
        configured_ipv4: Some(before.configured_ipv4.clone()),
    })
}

/// Of the free addresses of a network, those of the pool that a kind of interface takes its own from.
pub(super) fn of_pool(free: &FreeAddresses, kind: &str) -> Vec<String> {
    match config_parse(kind) {
        ConfigTypeV4::Dynamic => Vec::new(),
        ConfigTypeV4::DynamicReserved => free.reserved_ips.clone(),
        ConfigTypeV4::Static => free.static_ips.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_four_numbers_or_auto() {
        assert_eq!(parse_address(" auto "), Ok("auto".into()));
        assert_eq!(parse_address("10.0.0.7"), Ok("10.0.0.7".into()));
        assert!(parse_address("").is_err());
        assert!(parse_address("10.0.0").is_err());
    }

    #[test]
    fn a_removed_interface_comes_back_with_its_address() {
        let removed = Interface {
            id: 7,
            identifier: String::new(),
            mac: "52:54:00:00:00:01".into(),
            network_id: Some(3),
            network_name: Some("lab".into()),
            subnetv4: None,
            netmaskv4: None,
            prefixlenv4: None,
            static_pool_v4: None,
            reserved_pool_v4: None,
            config_type_v4: ConfigTypeV4::Static,
            configured_ipv4: Some("10.0.0.9".into()),
            lease_ipv4: None,
            last_seen_date: None,
        };
        let again = serde_json::to_value(as_new(&removed).unwrap()).unwrap();
        assert_eq!(
            again,
            serde_json::json!({
                "mac": "52:54:00:00:00:01", "identifier": "", "network_id": 3, "config_type_v4": "static", "configured_ipv4": "10.0.0.9",
            })
        );
    }

    #[test]
    fn addresses_are_offered_of_the_pool_they_are_for() {
        let free = FreeAddresses { static_ips: vec!["10.0.0.8".into()], reserved_ips: vec!["10.0.0.16".into()] };
        assert_eq!(of_pool(&free, "static"), ["10.0.0.8"]);
        assert_eq!(of_pool(&free, "dynamic-reserved"), ["10.0.0.16"]);
        assert!(of_pool(&free, "dynamic").is_empty());
    }

    #[test]
    fn the_kinds_keep_their_words() {
        for kind in [ConfigTypeV4::Dynamic, ConfigTypeV4::DynamicReserved, ConfigTypeV4::Static] {
            assert_eq!(config_parse(config_word(kind)), kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), config_word(kind));
        }
    }
}
