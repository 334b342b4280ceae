-- What talks to a BMC: this program, or `ipmitool` started for every command.
alter table bmcs add column backend text not null default 'native' check (backend in ('native', 'ipmitool'));
-- How it leaves the specification: names of quirks, comma-separated.
alter table bmcs add column quirks text not null default '';
-- The BMC's own key (K_g), sealed as the password is; null: none set.
alter table bmcs add column key_sealed text;
