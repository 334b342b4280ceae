//! What a body may look like: the examples that one finds filled in where the API is tried.

use serde_json::{Value, json};
use utoipa::openapi::{OpenApi, RefOr, Schema};

macro_rules! examples {
    ($($kind:ident: $json:tt)*) => {
        fn all() -> Vec<(&'static str, Value)> {
            vec![$((stringify!($kind), json!($json))),*]
        }

        #[cfg(test)]
        mod tests {
            #[test]
            fn each_is_understood_as_what_it_is_an_example_of() {
                use app::api::*;
                $(
                    let read = serde_json::from_value::<$kind>(serde_json::json!($json));
                    assert!(read.is_ok(), "{}: {:?}", stringify!($kind), read.err());
                )*
            }
        }
    };
}

examples! {
    ApiError: {
        "error_type": "InvalidUsage", "errors": ["Machine name must be between 2 and 256 characters long"],
        "type": "about:blank", "title": "Bad Request", "status": 400,
        "detail": "Machine name must be between 2 and 256 characters long"
    }
    ArchInput: { "name": "arm64", "description": "AArch64" }
    AssigneeChange: { "reason": "bisecting a boot failure" }
    BmcInput: { "name": "rack1-bmc3", "ip": "10.0.1.3", "type": "plain", "username": "admin", "password": "secret" }
    BulkAssignment: { "machines": [1, 2], "user": "ann", "reason": "nightly tests" }
    BulkPower: { "machines": [1, 2], "state": "on" }
    BulkProvision: { "machines": [1, 2] }
    BulkRelease: { "machines": [1, 2], "user": "ann" }
    BulkTags: { "machines": [1, 2], "add": ["10g"], "remove": ["rack 4"] }
    Credentials: { "username": "ann", "password": "correct horse battery" }
    DiscoveredChange: { "dismissed": true }
    DiscoveredInterface: { "machine_id": 1, "identifier": "eth1", "network_id": 1 }
    Draft: { "content": "d-i netcfg/get_hostname string {{ hostname }}" }
    ImageChange: { "description": "6.12-rc1", "known_good": true }
    InterfaceChange: { "identifier": "eth0", "network_id": 1, "config_type_v4": "static", "configured_ipv4": "auto" }
    MachineChange: {
        "netboot_enabled": true, "kernel_id": 1, "initrd_id": 2, "preseed_id": null, "kernel_opts": "console=ttyS0,115200", "tags": ["10g"]
    }
    MeChange: { "email": "ann@example.org" }
    NetworkInput: { "name": "lab", "subnet": "10.0.0.0/16", "static_net": "10.0.1.0/24", "reserved_net": "10.0.2.0/24" }
    NewAssignee: { "user": "ann", "reason": "bisecting a boot failure" }
    NewImage: { "type": "Kernel", "arch": "arm64", "description": "6.12-rc1" }
    NewInterface: { "mac": "52:54:00:12:34:57", "identifier": "eth1", "network_id": 1 }
    NewMachine: { "name": "arm64-1", "arch": "arm64", "subarch": "uefi", "macs": ["52:54:00:12:34:56"] }
    NewPreseed: { "name": "debian-13", "type": "preseed", "content": "d-i debian-installer/locale string en_US" }
    NewToken: { "description": "CI", "expires": "2199-01-31T12:00:00Z", "scopes": ["read", "machines"] }
    NewUser: { "username": "ann", "email": "ann@example.org" }
    OutcomeRequest: { "state": "ready" }
    PasswordChange: { "old_password": "correct horse battery", "password": "staple correct horse" }
    PowerRequest: { "state": "reboot" }
    PreseedChange: { "content": "d-i debian-installer/locale string de_DE" }
    PreviewRequest: { "content": "d-i netcfg/get_hostname string {{ hostname }}" }
    ProvisionRequest: { "state": "provision" }
    Reservation: { "query": "(and (= arch \"arm64\") (= state \"ready\"))", "reason": "nightly tests" }
    SubarchInput: { "name": "uefi", "bootloader_id": 1, "efiboot": true }
    UserChange: { "email": "ann@example.org" }
}

/// Puts each beside its schema.
pub fn complete(document: &mut OpenApi) {
    let Some(components) = &mut document.components else { return };
    for (name, example) in all() {
        if let Some(RefOr::T(Schema::Object(schema))) = components.schemas.get_mut(name) {
            schema.examples = vec![example];
        }
    }
}
