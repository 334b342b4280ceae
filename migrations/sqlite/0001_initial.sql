-- Ids bigint, instants bigint µs since 1970 UTC, JSON, MAC, IP and CIDR as text (newtypes at the row boundary).
-- Fields and uniqueness follow the original's final schema; what it lacked is marked.
-- autoincrement: an id is never given out twice, as in PostgreSQL, so that an event's id only grows and an old link never means a new row.

create table users (
    id integer primary key autoincrement,
    username text not null unique,
    email text not null default '',
    admin boolean not null default false,
    ssh_key text not null default '',
    created_at bigint not null
);

-- An identity is (user, source): local password today, LDAP and OpenID Connect later without a change to users.
create table identities (
    id integer primary key autoincrement,
    user_id bigint not null references users (id) on delete cascade,
    source text not null,
    subject text not null,
    password_hash text,
    updated_at bigint not null,
    unique (source, subject),
    unique (user_id, source)
);

-- Only the hash of a session's id is stored: the table grants nothing to its reader.
create table sessions (
    id_hash text primary key,
    user_id bigint references users (id) on delete cascade,
    data text not null,
    created_at bigint not null,
    last_seen_at bigint not null,
    expires_at bigint not null
);
create index sessions_user on sessions (user_id);
create index sessions_expiry on sessions (expires_at);

create table tokens (
    id integer primary key autoincrement,
    user_id bigint not null references users (id) on delete cascade,
    token_hash text not null unique,
    prefix text not null,
    description text not null default '',
    created_at bigint not null,
    last_used_at bigint,
    expires_at bigint
);
create index tokens_user on tokens (user_id);

create table archs (
    id integer primary key autoincrement,
    name text not null unique,
    description text not null default ''
);

create table images (
    id integer primary key autoincrement,
    filename text not null unique,
    name text not null,
    description text not null default '',
    file_type text not null check (file_type in ('Initrd', 'Kernel', 'bootloader')),
    arch_id bigint not null references archs (id),
    user_id bigint references users (id),
    known_good boolean not null default false,
    public boolean not null default false,
    size bigint not null,
    sha256 text not null,
    created_at bigint not null
);
create index images_arch on images (arch_id);
create index images_user on images (user_id);
create index images_sha256 on images (sha256);

create table subarchs (
    id integer primary key autoincrement,
    arch_id bigint not null references archs (id) on delete cascade,
    name text not null,
    description text not null default '',
    bootloader_id bigint references images (id),
    efiboot boolean not null default false,
    unique (arch_id, name)
);
create index subarchs_bootloader on subarchs (bootloader_id);

create table preseeds (
    id integer primary key autoincrement,
    filename text not null unique,
    description text not null default '',
    file_type text not null check (file_type in ('preseed', 'kickstart', 'autoyast')),
    content text not null default '',
    user_id bigint references users (id),
    known_good boolean not null default false,
    public boolean not null default false,
    created_at bigint not null,
    updated_at bigint not null
);
create index preseeds_user on preseeds (user_id);

create table bmcs (
    id integer primary key autoincrement,
    name text not null unique,
    ip text not null,
    port bigint not null default 623 check (port between 1 and 65535),
    bmc_type text not null check (bmc_type in ('plain', 'moonshot')),
    username text not null default '',
    -- XChaCha20-Poly1305 under the server's key file, base64; null: no password set
    password_sealed text,
    privilege_level text not null default 'admin' check (privilege_level in ('admin', 'operator', 'user')),
    -- strongest cipher suite ever agreed on: never go below it again
    cipher_suite bigint,
    created_at bigint not null,
    unique (ip, port)
);

create table networks (
    id integer primary key autoincrement,
    name text not null unique,
    subnet text not null unique,
    static_net text unique,
    reserved_net text unique
);

create table machines (
    id integer primary key autoincrement,
    name text not null unique,
    arch_id bigint not null references archs (id),
    subarch_id bigint references subarchs (id),
    bmc_id bigint references bmcs (id),
    bmc_info text not null default '',
    kernel_id bigint references images (id),
    initrd_id bigint references images (id),
    preseed_id bigint references preseeds (id),
    kernel_opts text not null default '',
    netboot_enabled boolean not null default false,
    state text not null default 'unknown' check (state in ('unknown', 'provisioning', 'ready', 'error')),
    -- part of the preseed's URL, so that counting ids reads nothing
    preseed_key text not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index machines_arch on machines (arch_id);
create index machines_subarch on machines (subarch_id);
create index machines_bmc on machines (bmc_id);
create index machines_kernel on machines (kernel_id);
create index machines_initrd on machines (initrd_id);
create index machines_preseed on machines (preseed_id);

create table interfaces (
    id integer primary key autoincrement,
    machine_id bigint not null references machines (id) on delete cascade,
    mac text not null unique,
    identifier text not null default '',
    network_id bigint references networks (id) on delete set null,
    static_ipv4 text,
    reserved_ipv4 text,
    unique (network_id, static_ipv4),
    unique (network_id, reserved_ipv4)
);
create index interfaces_machine on interfaces (machine_id);
create index interfaces_static on interfaces (static_ipv4);
create index interfaces_reserved on interfaces (reserved_ipv4);

create table assignments (
    id integer primary key autoincrement,
    machine_id bigint not null references machines (id) on delete cascade,
    user_id bigint not null references users (id),
    reason text not null default '',
    started_at bigint not null,
    unique (machine_id, user_id)
);
create index assignments_user on assignments (user_id);

create table events (
    id integer primary key autoincrement,
    machine_id bigint not null references machines (id) on delete cascade,
    user_id bigint references users (id) on delete set null,
    -- kept when the user goes
    username text,
    at bigint not null,
    event_type text not null,
    info text not null default '{}'
);
create index events_machine on events (machine_id, id);
create index events_at on events (at);

-- One-time keys for a console's socket (clients that cannot send a header or cookie); only the hash is stored.
create table console_tokens (
    token_hash text primary key,
    machine_id bigint not null references machines (id) on delete cascade,
    user_id bigint not null references users (id) on delete cascade,
    expires_at bigint not null
);

-- Counts the commits that changed what a list of machines shows, so that every server knows when the copy it keeps in memory is old.
create table inventory_changes (
    id bigint primary key check (id = 1),
    n bigint not null
);
insert into inventory_changes (id, n) values (1, 0);
