-- What talks to a BMC: this program, or `ipmitool` started for every command.
alter table bmcs add column backend text not null default 'native' check (backend in ('native', 'ipmitool'));
