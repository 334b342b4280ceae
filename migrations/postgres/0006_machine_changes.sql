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

-- The argument names the column that says which machine it is.
create function note_machine_change() returns trigger language plpgsql as $$
begin
    if tg_op <> 'DELETE' then
        insert into machine_changes (machine_id, n)
            select (to_jsonb(new) ->> tg_argv[0])::bigint, n + 1 from inventory_changes where id = 1
            on conflict (machine_id) do update set n = excluded.n;
    end if;
    if tg_op <> 'INSERT' and (tg_op = 'DELETE' or to_jsonb(old) ->> tg_argv[0] <> to_jsonb(new) ->> tg_argv[0]) then
        insert into machine_changes (machine_id, n)
            select (to_jsonb(old) ->> tg_argv[0])::bigint, n + 1 from inventory_changes where id = 1
            on conflict (machine_id) do update set n = excluded.n;
    end if;
    return null;
end
$$;

create function note_lease_change() returns trigger language plpgsql as $$
declare
    whose text;
begin
    if tg_op = 'DELETE' then
        whose := old.mac;
    else
        whose := new.mac;
    end if;
    insert into machine_changes (machine_id, n)
        select i.machine_id, c.n + 1 from interfaces i, inventory_changes c where i.mac = whose and c.id = 1
        on conflict (machine_id) do update set n = excluded.n;
    return null;
end
$$;

create function note_every_machine() returns trigger language plpgsql as $$
begin
    update inventory_changes set everything = n + 1;
    return null;
end
$$;

create trigger machines_noted after insert or update or delete on machines for each row execute function note_machine_change('id');
create trigger interfaces_noted after insert or update or delete on interfaces for each row execute function note_machine_change('machine_id');
create trigger assignments_noted after insert or update or delete on assignments for each row execute function note_machine_change('machine_id');
create trigger machine_tags_noted after insert or update or delete on machine_tags for each row execute function note_machine_change('machine_id');
create trigger leases_noted after insert or update or delete on leases for each row execute function note_lease_change();

-- what machines show of other things
create trigger users_noted after update on users for each row when ((old.username) is distinct from (new.username)) execute function note_every_machine();
create trigger users_gone after delete on users for each row execute function note_every_machine();
create trigger archs_noted after update on archs for each row when ((old.name) is distinct from (new.name)) execute function note_every_machine();
create trigger archs_gone after delete on archs for each row execute function note_every_machine();
create trigger subarchs_noted after update on subarchs for each row when ((old.name, old.efiboot, old.bootloader_id) is distinct from (new.name, new.efiboot, new.bootloader_id)) execute function note_every_machine();
create trigger subarchs_gone after delete on subarchs for each row execute function note_every_machine();
create trigger images_noted after update on images for each row when ((old.filename) is distinct from (new.filename)) execute function note_every_machine();
create trigger images_gone after delete on images for each row execute function note_every_machine();
create trigger bmcs_noted after update on bmcs for each row when ((old.name, old.bmc_type) is distinct from (new.name, new.bmc_type)) execute function note_every_machine();
create trigger bmcs_gone after delete on bmcs for each row execute function note_every_machine();
create trigger preseeds_noted after update on preseeds for each row when ((old.filename, old.file_type) is distinct from (new.filename, new.file_type)) execute function note_every_machine();
create trigger preseeds_gone after delete on preseeds for each row execute function note_every_machine();
create trigger networks_noted after update on networks for each row when ((old.name, old.subnet, old.static_net, old.reserved_net) is distinct from (new.name, new.subnet, new.static_net, new.reserved_net)) execute function note_every_machine();
create trigger networks_gone after delete on networks for each row execute function note_every_machine();
