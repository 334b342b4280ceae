-- What the maker of a console's key came with: the key, and the console it opened, end with it. Both null: keys from before.
alter table console_tokens add column session_hash text;
alter table console_tokens add column token_id bigint;
