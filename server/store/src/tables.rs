//! One module per table, each function of which runs the statement of the same name in `server/store/sql` on whichever engine it is.

use crate::conn::Engine;
use crate::{Conn, StoreError, Tx};
use store_model::*;

/// `read fn` takes any connection, `write fn` a transaction.
macro_rules! table {
    ($(#[$about:meta])* $table:ident: $($(#[$doc:meta])* $kind:ident fn $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        $(#[$about])*
        pub mod $table {
            use super::*;
            $(table!(@ $kind $table $(#[$doc])* $name($($arg: $type),*) -> $answer);)*
        }
    };
    (@ read $table:ident $(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $answer:ty) => {
        $(#[$doc])*
        pub async fn $name(c: &mut Conn $(, $arg: $type)*) -> Result<$answer, StoreError> {
            table!(@ run c $table $name($($arg),*))
        }
    };
    (@ write $table:ident $(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $answer:ty) => {
        $(#[$doc])*
        pub async fn $name(tx: &mut Tx $(, $arg: $type)*) -> Result<$answer, StoreError> {
            tx.writes(stringify!($table));
            let c: &mut Conn = tx;
            table!(@ run c $table $name($($arg),*))
        }
    };
    (@ run $c:ident $table:ident $name:ident($($arg:ident),*)) => {{
        let result = match $c.engine() {
            Engine::Sqlite(c) => store_sqlite::$table::$name(c $(, $arg)*).await,
            Engine::Postgres(c) => store_postgres::$table::$name(c $(, $arg)*).await,
        };
        $c.check(result)
    }};
}

table! {
    /// People.
    users:
    /// Answers the new id.
    write fn insert(new: &NewUser) -> i64;
    read fn get(id: i64) -> Option<UserRow>;
    read fn get_by_name(username: &str) -> Option<UserRow>;
    /// By name.
    read fn list() -> Vec<UserRow>;
    /// All but `created_at`.
    write fn update(row: &UserRow) -> bool;
    /// Identities, sessions, tokens and console tokens go with the user; events keep the name. Refused while [`used_by`] lists anything.
    write fn delete(id: i64) -> bool;
    read fn count() -> i64;
    read fn count_admins() -> i64;
    /// Images and preseeds the user owns, machines assigned to them.
    read fn used_by(id: i64) -> Vec<UsedBy>;
}

table! {
    /// How users log in.
    identities:
    /// Answers the new id.
    write fn insert(new: &NewIdentity) -> i64;
    read fn get(source: &str, subject: &str) -> Option<IdentityRow>;
    read fn get_for_user(user_id: i64, source: &str) -> Option<IdentityRow>;
    /// Subject, password hash and `updated_at`.
    write fn update(row: &IdentityRow) -> bool;
}

table! {
    /// Browser sessions.
    sessions:
    write fn insert(row: &SessionRow) -> ();
    /// Oldest first, without those that expired at `now` or before.
    read fn list_for_user(user_id: i64, now: i64) -> Vec<SessionRow>;
    /// None also when it expired at `now` or before.
    read fn get(id_hash: &str, now: i64) -> Option<SessionRow>;
    /// All but `created_at`.
    write fn update(row: &SessionRow) -> bool;
    write fn delete(id_hash: &str) -> bool;
    /// Logs the user out everywhere, but for the session `except`. Answers how many.
    write fn delete_for_user(user_id: i64, except: Option<&str>) -> u64;
    /// Answers how many.
    write fn delete_expired(now: i64) -> u64;
}

table! {
    /// API tokens.
    tokens:
    /// Answers the new id.
    write fn insert(new: &NewToken) -> i64;
    read fn get(id: i64) -> Option<TokenRow>;
    /// Whose it is. Expired ones too: compare `expires_at`.
    read fn get_by_hash(token_hash: &str) -> Option<TokenOwner>;
    /// Oldest first.
    read fn list_for_user(user_id: i64) -> Vec<TokenRow>;
    /// Sets `last_used_at`.
    write fn touch(id: i64, at: i64) -> bool;
    write fn delete(id: i64) -> bool;
    /// Answers how many.
    write fn delete_for_user(user_id: i64) -> u64;
}

table! {
    /// Architectures.
    archs:
    /// Answers the new id.
    write fn insert(new: &NewArch) -> i64;
    read fn get(id: i64) -> Option<ArchRow>;
    read fn get_by_name(name: &str) -> Option<ArchRow>;
    /// By name.
    read fn list() -> Vec<ArchRow>;
    write fn update(row: &ArchRow) -> bool;
    /// Its subarchitectures go with it. Refused while [`used_by`] lists anything.
    write fn delete(id: i64) -> bool;
    /// Machines and images.
    read fn used_by(id: i64) -> Vec<UsedBy>;
}

table! {
    /// Subarchitectures.
    subarchs:
    /// Answers the new id.
    write fn insert(new: &NewSubarch) -> i64;
    read fn get(id: i64) -> Option<SubarchRow>;
    read fn get_by_name(arch_id: i64, name: &str) -> Option<SubarchRow>;
    /// By architecture, then name.
    read fn list() -> Vec<SubarchView>;
    /// By name.
    read fn list_for_arch(arch_id: i64) -> Vec<SubarchView>;
    /// All but the architecture.
    write fn update(row: &SubarchRow) -> bool;
    /// Refused while [`used_by`] lists anything.
    write fn delete(id: i64) -> bool;
    /// Machines.
    read fn used_by(id: i64) -> Vec<UsedBy>;
}

table! {
    /// Kernels, initrds and bootloaders.
    images:
    /// Answers the new id.
    write fn insert(new: &NewImage) -> i64;
    read fn get(id: i64) -> Option<ImageRow>;
    read fn get_by_filename(filename: &str) -> Option<ImageRow>;
    /// The same content, oldest first.
    read fn list_by_sha256(sha256: &str) -> Vec<ImageRow>;
    read fn view(id: i64) -> Option<ImageView>;
    /// All, oldest first.
    read fn list() -> Vec<ImageView>;
    /// Public ones and the user's own.
    read fn list_visible_to(user_id: i64) -> Vec<ImageView>;
    read fn list_owned_by(user_id: i64) -> Vec<ImageView>;
    /// All but `created_at`.
    write fn update(row: &ImageRow) -> bool;
    /// Refused while [`used_by`] lists anything.
    write fn delete(id: i64) -> bool;
    /// Machines by role `kernel` or `initrd`, subarchitectures by role `bootloader`.
    read fn used_by(id: i64) -> Vec<UsedBy>;
}

table! {
    /// Preseed, kickstart and autoyast templates.
    preseeds:
    /// Answers the new id.
    write fn insert(new: &NewPreseed) -> i64;
    read fn get(id: i64) -> Option<PreseedRow>;
    read fn view(id: i64) -> Option<PreseedView>;
    /// All, oldest first.
    read fn list() -> Vec<PreseedView>;
    /// Public ones and the user's own.
    read fn list_visible_to(user_id: i64) -> Vec<PreseedView>;
    read fn list_owned_by(user_id: i64) -> Vec<PreseedView>;
    /// All but `created_at`.
    write fn update(row: &PreseedRow) -> bool;
    /// Refused while [`used_by`] lists anything.
    write fn delete(id: i64) -> bool;
    /// Machines.
    read fn used_by(id: i64) -> Vec<UsedBy>;
}

table! {
    /// Management controllers.
    bmcs:
    /// Answers the new id.
    write fn insert(new: &NewBmc) -> i64;
    read fn get(id: i64) -> Option<BmcRow>;
    read fn get_by_name(name: &str) -> Option<BmcRow>;
    /// By name.
    read fn list() -> Vec<BmcRow>;
    /// All but `created_at`.
    write fn update(row: &BmcRow) -> bool;
    /// Refused while [`used_by`] lists anything.
    write fn delete(id: i64) -> bool;
    /// Machines.
    read fn used_by(id: i64) -> Vec<UsedBy>;
}

table! {
    /// Networks.
    networks:
    /// Answers the new id.
    write fn insert(new: &NewNetwork) -> i64;
    read fn get(id: i64) -> Option<NetworkRow>;
    read fn get_by_name(name: &str) -> Option<NetworkRow>;
    /// By name.
    read fn list() -> Vec<NetworkRow>;
    write fn update(row: &NetworkRow) -> bool;
    /// Its interfaces lose their network but keep their addresses: clear those first.
    write fn delete(id: i64) -> bool;
    /// Machines with an interface in it; they do not keep it from being deleted.
    read fn used_by(id: i64) -> Vec<UsedBy>;
}

table! {
    /// Machines.
    machines:
    /// Answers the new id.
    write fn insert(new: &NewMachine) -> i64;
    read fn get(id: i64) -> Option<MachineRow>;
    read fn get_by_name(name: &str) -> Option<MachineRow>;
    /// Whose interface has this MAC (lower case, colons).
    read fn get_by_mac(mac: &str) -> Option<MachineRow>;
    /// All, oldest first.
    read fn list() -> Vec<MachineRow>;
    read fn view(id: i64) -> Option<MachineView>;
    /// Whose interface has this MAC (lower case, colons).
    read fn view_by_mac(mac: &str) -> Option<MachineView>;
    /// All, oldest first.
    read fn list_views() -> Vec<MachineView>;
    read fn list_views_assigned_to(user_id: i64) -> Vec<MachineView>;
    /// Those nobody holds, oldest first.
    read fn list_views_unassigned() -> Vec<MachineView>;
    /// All but `created_at`.
    write fn update(row: &MachineRow) -> bool;
    /// Interfaces, assignments, events and console tokens go with it.
    write fn delete(id: i64) -> bool;
}

table! {
    /// Network ports of machines.
    interfaces:
    /// Answers the new id.
    write fn insert(new: &NewInterface) -> i64;
    read fn get(id: i64) -> Option<InterfaceRow>;
    /// MAC in lower case, with colons.
    read fn get_by_mac(mac: &str) -> Option<InterfaceRow>;
    /// With this static or reserved address, in whatever network.
    read fn list_by_ipv4(ipv4: &str) -> Vec<InterfaceRow>;
    /// All of a network: its addresses in use.
    read fn list_in_network(network_id: i64) -> Vec<InterfaceRow>;
    read fn view(id: i64) -> Option<InterfaceView>;
    /// All of the lab, by machine: beside `machines::list_views`.
    read fn list_views() -> Vec<InterfaceView>;
    read fn list_views_of_machine(machine_id: i64) -> Vec<InterfaceView>;
    /// Of the machines assigned to a user, by machine: beside `machines::list_views_assigned_to`.
    read fn list_views_assigned_to(user_id: i64) -> Vec<InterfaceView>;
    /// All but the machine.
    write fn update(row: &InterfaceRow) -> bool;
    write fn delete(id: i64) -> bool;
}

table! {
    /// Who holds which machine.
    assignments:
    /// Answers the new id.
    write fn insert(new: &NewAssignment) -> i64;
    read fn get(id: i64) -> Option<AssignmentRow>;
    /// The user's hold on the machine.
    read fn get_for(machine_id: i64, user_id: i64) -> Option<AssignmentRow>;
    read fn view(id: i64) -> Option<AssignmentView>;
    /// All of the lab, by machine: beside `machines::list_views`.
    read fn list_views() -> Vec<AssignmentView>;
    /// Oldest first.
    read fn list_views_of_machine(machine_id: i64) -> Vec<AssignmentView>;
    /// Everybody's on the machines assigned to a user, by machine: beside `machines::list_views_assigned_to`.
    read fn list_views_assigned_to(user_id: i64) -> Vec<AssignmentView>;
    /// The keys of those who hold the machine, one text per person, oldest assignment first.
    read fn list_ssh_keys(machine_id: i64) -> Vec<String>;
    write fn set_reason(id: i64, reason: &str) -> bool;
    write fn delete(id: i64) -> bool;
}

table! {
    /// What happened to machines.
    events:
    /// Answers the new id, greater than every one before.
    write fn insert(new: &NewEvent) -> i64;
    read fn get(id: i64) -> Option<EventRow>;
    /// Newest first; the next page starts before the last id of this one.
    read fn list(machine_id: i64, before: Option<i64>, limit: i64) -> Vec<EventRow>;
    /// Oldest first, with ids above `after`.
    read fn list_upwards(machine_id: i64, after: i64, limit: i64) -> Vec<EventRow>;
    /// Of all machines, newest first.
    read fn list_all(wanted: &EventFilter, limit: i64) -> Vec<EventRow>;
    /// Of all machines, oldest first.
    read fn list_all_upwards(wanted: &EventFilter, limit: i64) -> Vec<EventRow>;
    /// Of all machines, oldest first, with ids above `after`: for whoever has to catch up.
    read fn list_since(after: i64, limit: i64) -> Vec<EventRow>;
    /// 0 when there is none.
    read fn latest_id() -> i64;
    /// Answers how many.
    write fn delete_older_than(at: i64) -> u64;
}

table! {
    /// Who changed what. The schema refuses to change or delete a row.
    audit:
    /// Answers the new id, greater than every one before.
    write fn insert(new: &NewAudit) -> i64;
    /// Newest first.
    read fn list(filter: &AuditFilter, limit: i64) -> Vec<AuditRow>;
    /// Oldest first.
    read fn list_upwards(filter: &AuditFilter, limit: i64) -> Vec<AuditRow>;
}

table! {
    /// Addresses a DHCP server gave out.
    leases:
    /// Whoever had the address before has it no longer.
    write fn put(mac: &str, ipv4: &str, at: i64) -> ();
    read fn get_by_mac(mac: &str) -> Option<LeaseRow>;
    /// Who has the address.
    read fn get_by_ipv4(ipv4: &str) -> Option<LeaseRow>;
    /// Last seen first.
    read fn list() -> Vec<LeaseView>;
    /// Last told of before `at`. Answers how many.
    write fn delete_older_than(at: i64) -> u64;
}

table! {
    /// MACs the DHCP server saw that no interface has.
    discovered_macs:
    /// Once more, or for the first time. `info` replaces what was known.
    write fn put(mac: &str, info: &str, at: i64) -> ();
    read fn get(id: i64) -> Option<DiscoveredRow>;
    read fn get_by_mac(mac: &str) -> Option<DiscoveredRow>;
    /// Last seen first, dismissed ones too.
    read fn list() -> Vec<DiscoveredRow>;
    write fn set_dismissed(id: i64, dismissed: bool) -> bool;
    write fn delete(id: i64) -> bool;
    /// It has an interface now.
    write fn delete_by_mac(mac: &str) -> bool;
    /// Last seen before `at`. Answers how many.
    write fn delete_older_than(at: i64) -> u64;
    /// All but the `keep` seen last. Answers how many.
    write fn trim(keep: i64) -> u64;
}

table! {
    /// Labels on machines.
    machine_tags:
    write fn insert(machine_id: i64, tag: &str) -> ();
    /// By machine, then tag: beside `machines::list_views`.
    read fn list() -> Vec<TagRow>;
    /// In order.
    read fn list_of_machine(machine_id: i64) -> Vec<TagRow>;
    write fn delete(machine_id: i64, tag: &str) -> bool;
}

table! {
    /// One-time keys to consoles.
    console_tokens:
    write fn insert(row: &ConsoleTokenRow) -> ();
    /// Uses the key up; None when it is unknown, used or expired at `now`.
    write fn take(token_hash: &str, now: i64) -> Option<ConsoleTokenRow>;
    /// Answers how many.
    write fn delete_expired(now: i64) -> u64;
}
