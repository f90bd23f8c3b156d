-- Whose claim a row is under: what a worker settles after its lease went to another one does not count.
alter table resource add column claim uuid;
-- Claims since the last outcome: a row that kills its workers is tried alone, and set aside in the end.
alter table resource add column unanswered integer not null default 0;

-- With the key in it, the first rows of a lane are read off the index: without, every claim sorted all
-- rows of one commit (they have one due_at).
drop index resource_due;
create index resource_due on resource (tenant_id, target, lane, kind, due_at, key)
  where state = 'due' and desired is not null;
create index resource_due_deleted on resource (tenant_id, target, lane, kind, due_at, key)
  where state = 'due' and desired is null;

-- A tenant's share of the workers beside other tenants.
alter table tenant add column weight double precision not null default 1
  check (weight between 0.01 and 100);

-- What we know of a target beyond its rows.
create table target_state (
  tenant_id text not null references tenant,
  target text not null,
  -- When the circuit opened, how often in a row, why, and when one row is tried again; null: it is closed.
  opened_at timestamptz,
  openings integer not null default 0,
  cause text,
  probe_at timestamptz,
  -- Rows a second that were applied while it was worked on, smoothed over some minutes.
  rows_per_second double precision,
  measured_at timestamptz,
  primary key (tenant_id, target)
);

-- What an operator stopped: of a target, a lane, both, or everything of a tenant; of the tenant '*':
-- of all tenants.
create table brake (
  tenant_id text not null,
  id uuid not null default gen_random_uuid(),
  target text,
  lane text check (lane in ('now', 'sync', 'bulk')),
  -- 'drain': what was due when it was set is still done, what comes later waits.
  kind text not null check (kind in ('pause', 'drain', 'maintenance')),
  since timestamptz not null default now(),
  until timestamptz,
  reason text not null,
  by text not null,
  primary key (tenant_id, id)
);
create unique index brake_place on brake (tenant_id, coalesce(target, ''), coalesce(lane, ''));

alter table target_state enable row level security;
alter table target_state force row level security;
create policy tenant on target_state
  using (tenant_id = current_setting('skolebus.tenant', true))
  with check (tenant_id = current_setting('skolebus.tenant', true));

alter table brake enable row level security;
alter table brake force row level security;
create policy tenant on brake
  using (tenant_id in (current_setting('skolebus.tenant', true), '*'))
  with check (tenant_id = current_setting('skolebus.tenant', true));

-- Courses and cohorts that left people out; looked for whenever accounts have arrived.
create index resource_waits on resource (tenant_id, target)
  where state = 'due' and failure->>'code' = 'waits-for-accounts';

-- Rows that may have killed their workers (ledger/claim.ts); without it, looking for them read all rows.
create index resource_suspect on resource (tenant_id, target) where state = 'due' and unanswered >= 3;
