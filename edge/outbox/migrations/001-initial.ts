/** `ledger` has one row; `appended = acked + dead_letters + thinned + rows of messages` holds after every transaction. */
export const initial = `
create table messages (
  seq integer primary key,
  type text not null,
  camera_id text not null,
  created_at integer not null,
  envelope text not null
);
create index observations on messages (seq, camera_id) where type = 'observation.v1';

create table dead_letters (
  seq integer primary key,
  envelope text not null,
  problem text not null,
  rejected_at integer not null
);

create table rule_states (rule_id text primary key, state text not null) without rowid;

create table ledger (
  only_row integer primary key check (only_row = 1),
  epoch integer not null,
  last_seq integer not null default 0,
  acked_seq integer not null default 0,
  appended integer not null default 0,
  acked integer not null default 0,
  dead_letters integer not null default 0,
  thinned integer not null default 0,
  thinned_to_seq integer not null default 0,
  loss_started_at integer,
  loss_camera_id text
);

-- Thinned and not yet reported in a data-loss event.
create table lost_ranges (from_seq integer primary key, to_seq integer not null);
create index lost_ranges_end on lost_ranges (to_seq);
`
