//! What the audit log tells of a thing. Named member by member: a secret cannot slip in with a new column.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::{ArchRow, AssignmentView, BmcRow, ImageRow, InterfaceRow, MachineRow, NetworkRow, PreseedRow, SubarchRow, TokenRow, UserRow};

use crate::secrets;

pub fn machine(row: &MachineRow) -> Value {
    json!({
        "name": row.name, "arch_id": row.arch_id, "subarch_id": row.subarch_id, "bmc_id": row.bmc_id, "bmc_info": row.bmc_info,
        "kernel_id": row.kernel_id, "initrd_id": row.initrd_id, "preseed_id": row.preseed_id, "kernel_opts": row.kernel_opts,
        "netboot_enabled": row.netboot_enabled, "state": row.state,
    })
}

pub fn interface(row: &InterfaceRow) -> Value {
    json!({
        "machine_id": row.machine_id, "mac": row.mac, "identifier": row.identifier, "network_id": row.network_id,
        "static_ipv4": row.static_ipv4, "reserved_ipv4": row.reserved_ipv4,
    })
}

pub fn assignment(view: &AssignmentView) -> Value {
    json!({ "user": view.username, "reason": view.reason })
}

pub fn image(row: &ImageRow) -> Value {
    json!({
        "filename": row.filename, "name": row.name, "description": row.description, "type": row.file_type, "arch_id": row.arch_id,
        "user_id": row.user_id, "known_good": row.known_good, "public": row.public, "size": row.size, "sha256": row.sha256,
    })
}

/// The content by its length and hash: preseeds hold passwords.
pub fn preseed(row: &PreseedRow) -> Value {
    json!({
        "name": row.filename, "description": row.description, "type": row.file_type, "user_id": row.user_id,
        "known_good": row.known_good, "public": row.public,
        "content": { "bytes": row.content.len(), "sha256": secrets::hex(&Sha256::digest(row.content.as_bytes())) },
    })
}

pub fn arch(row: &ArchRow) -> Value {
    json!({ "name": row.name, "description": row.description })
}

pub fn subarch(row: &SubarchRow) -> Value {
    json!({
        "arch_id": row.arch_id, "name": row.name, "description": row.description, "bootloader_id": row.bootloader_id,
        "efiboot": row.efiboot,
    })
}

pub fn network(row: &NetworkRow) -> Value {
    json!({ "name": row.name, "subnet": row.subnet, "static_net": row.static_net, "reserved_net": row.reserved_net })
}

/// Password and key each by a mark that changes with it: part of a hash of what is sealed, anew each time, which says nothing of it.
pub fn bmc(row: &BmcRow) -> Value {
    let mark = |sealed: &String| secrets::hex(&Sha256::digest(sealed.as_bytes())[..4]);
    json!({
        "name": row.name, "ip": row.ip, "port": row.port, "type": row.bmc_type, "backend": row.backend,
        "username": row.username, "cipher_suite": row.cipher_suite, "quirks": row.quirks, "privilege_level": row.privilege_level,
        "password": row.password_sealed.as_ref().map(|sealed| format!("set ({})", mark(sealed))),
        "key": row.key_sealed.as_ref().map(|sealed| format!("set ({})", mark(sealed))),
    })
}

pub fn user(row: &UserRow) -> Value {
    json!({ "username": row.username, "email": row.email, "admin": row.admin, "ssh_key": row.ssh_key })
}

pub fn token(row: &TokenRow) -> Value {
    json!({
        "user_id": row.user_id, "description": row.description, "prefix": row.prefix, "expires_at": row.expires_at,
        "scopes": row.scopes,
    })
}
