-- What a DHCP server told of: the address a MAC has, and the MACs of machines nobody registered. And labels on machines.

create table leases (
    id integer primary key autoincrement,
    mac text not null unique,
    ipv4 text not null,
    last_seen_at bigint not null
);
create index leases_ipv4 on leases (ipv4);
create index leases_seen on leases (last_seen_at);

create table discovered_macs (
    id integer primary key autoincrement,
    mac text not null unique,
    -- JSON object: mac_vendor, and hostname, arch, arch_code when the machine sent them
    info text not null default '{}',
    first_seen_at bigint not null,
    last_seen_at bigint not null,
    -- an admin said that it is none of the lab's: kept, so that it does not come back with its next packet
    dismissed boolean not null default false
);
create index discovered_macs_seen on discovered_macs (last_seen_at);

create table machine_tags (
    id integer primary key autoincrement,
    machine_id bigint not null references machines (id) on delete cascade,
    tag text not null,
    unique (machine_id, tag)
);
