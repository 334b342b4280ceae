-- Words separated by spaces; null: a token may do all its user may, as those from before this column.
alter table tokens add column scopes text;

-- Who changed what. Users are named, not referred to: an entry outlives everybody in it.
create table audit (
    id integer primary key autoincrement,
    at bigint not null,
    user_id bigint,
    username text not null,
    address text,
    via text not null check (via in ('session', 'token', 'ticket', 'local')),
    via_id text not null default '',
    action text not null,
    kind text not null,
    subject_id bigint not null,
    subject text not null,
    before text,
    after text
);
create index audit_subject on audit (kind, subject_id, id);
create index audit_username on audit (username, id);
create index audit_at on audit (at);

-- Append-only for everybody who comes through this schema, the server itself above all.
create trigger audit_no_update before update on audit begin
    select raise(abort, 'the audit log is append-only');
end;
create trigger audit_no_delete before delete on audit begin
    select raise(abort, 'the audit log is append-only');
end;
