-- Which machines changed, and with which commit: a server that keeps a copy of all of them in memory reads only those again.
create table machine_changes (
    -- of one that is gone, too
    machine_id bigint primary key,
    -- inventory_changes.n of that commit, which is one more than it is while the commit is being made
    n bigint not null
);
create index machine_changes_n on machine_changes (n);

-- Of the last commit that changed what machines show but is none of theirs, a network's name for one: all are read again.
alter table inventory_changes add column everything bigint not null default 0;

create trigger machines_added after insert on machines begin
    insert into machine_changes (machine_id, n) select new.id, n + 1 from inventory_changes where id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;
create trigger machines_changed after update on machines begin
    insert into machine_changes (machine_id, n) select new.id, n + 1 from inventory_changes where id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;
create trigger machines_gone after delete on machines begin
    insert into machine_changes (machine_id, n) select old.id, n + 1 from inventory_changes where id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;

create trigger interfaces_added after insert on interfaces begin
    insert into machine_changes (machine_id, n) select new.machine_id, n + 1 from inventory_changes where id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;
create trigger interfaces_changed after update on interfaces begin
    insert into machine_changes (machine_id, n) select new.machine_id, n + 1 from inventory_changes where id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;
create trigger interfaces_moved after update on interfaces when new.machine_id <> old.machine_id begin
    insert into machine_changes (machine_id, n) select old.machine_id, n + 1 from inventory_changes where id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;
create trigger interfaces_gone after delete on interfaces begin
    insert into machine_changes (machine_id, n) select old.machine_id, n + 1 from inventory_changes where id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;

create trigger assignments_added after insert on assignments begin
    insert into machine_changes (machine_id, n) select new.machine_id, n + 1 from inventory_changes where id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;
create trigger assignments_changed after update on assignments begin
    insert into machine_changes (machine_id, n) select new.machine_id, n + 1 from inventory_changes where id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;
create trigger assignments_moved after update on assignments when new.machine_id <> old.machine_id begin
    insert into machine_changes (machine_id, n) select old.machine_id, n + 1 from inventory_changes where id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;
create trigger assignments_gone after delete on assignments begin
    insert into machine_changes (machine_id, n) select old.machine_id, n + 1 from inventory_changes where id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;

create trigger machine_tags_added after insert on machine_tags begin
    insert into machine_changes (machine_id, n) select new.machine_id, n + 1 from inventory_changes where id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;
create trigger machine_tags_changed after update on machine_tags begin
    insert into machine_changes (machine_id, n) select new.machine_id, n + 1 from inventory_changes where id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;
create trigger machine_tags_moved after update on machine_tags when new.machine_id <> old.machine_id begin
    insert into machine_changes (machine_id, n) select old.machine_id, n + 1 from inventory_changes where id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;
create trigger machine_tags_gone after delete on machine_tags begin
    insert into machine_changes (machine_id, n) select old.machine_id, n + 1 from inventory_changes where id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;

create trigger leases_added after insert on leases begin
    insert into machine_changes (machine_id, n) select i.machine_id, c.n + 1 from interfaces i, inventory_changes c where i.mac = new.mac and c.id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;
create trigger leases_changed after update on leases begin
    insert into machine_changes (machine_id, n) select i.machine_id, c.n + 1 from interfaces i, inventory_changes c where i.mac = new.mac and c.id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;
create trigger leases_gone after delete on leases begin
    insert into machine_changes (machine_id, n) select i.machine_id, c.n + 1 from interfaces i, inventory_changes c where i.mac = old.mac and c.id = 1
        on conflict (machine_id) do update set n = excluded.n;
end;

-- what machines show of other things
create trigger users_changed after update on users when new.username is not old.username begin
    update inventory_changes set everything = n + 1;
end;
create trigger users_gone after delete on users begin
    update inventory_changes set everything = n + 1;
end;
create trigger archs_changed after update on archs when new.name is not old.name begin
    update inventory_changes set everything = n + 1;
end;
create trigger archs_gone after delete on archs begin
    update inventory_changes set everything = n + 1;
end;
create trigger subarchs_changed after update on subarchs when new.name is not old.name or new.efiboot is not old.efiboot or new.bootloader_id is not old.bootloader_id begin
    update inventory_changes set everything = n + 1;
end;
create trigger subarchs_gone after delete on subarchs begin
    update inventory_changes set everything = n + 1;
end;
create trigger images_changed after update on images when new.filename is not old.filename begin
    update inventory_changes set everything = n + 1;
end;
create trigger images_gone after delete on images begin
    update inventory_changes set everything = n + 1;
end;
create trigger bmcs_changed after update on bmcs when new.name is not old.name or new.bmc_type is not old.bmc_type begin
    update inventory_changes set everything = n + 1;
end;
create trigger bmcs_gone after delete on bmcs begin
    update inventory_changes set everything = n + 1;
end;
create trigger preseeds_changed after update on preseeds when new.filename is not old.filename or new.file_type is not old.file_type begin
    update inventory_changes set everything = n + 1;
end;
create trigger preseeds_gone after delete on preseeds begin
    update inventory_changes set everything = n + 1;
end;
create trigger networks_changed after update on networks when new.name is not old.name or new.subnet is not old.subnet or new.static_net is not old.static_net or new.reserved_net is not old.reserved_net begin
    update inventory_changes set everything = n + 1;
end;
create trigger networks_gone after delete on networks begin
    update inventory_changes set everything = n + 1;
end;
