-- The whole of the store. Every table belongs to a tenant and is under row-level security: a
-- statement sees only the tenant named in the setting skolebus.tenant (see store/database.ts).
-- What is only gathered to be compared stands in temporary tables: COPY cannot write below row-level
-- security, and nobody else has any business seeing it.

create table tenant (
  id text primary key,
  name text not null,
  created_at timestamptz not null default now()
);

-- One reading of one source.
create table snapshot (
  tenant_id text not null references tenant,
  id uuid not null default gen_random_uuid(),
  source text not null,
  format text not null,
  taken_at timestamptz,
  read_at timestamptz not null default now(),
  school_year text,
  state text not null check (state in ('accepted', 'refused')),
  counts jsonb not null default '{}',
  diagnostics jsonb not null default '[]',
  refusal jsonb,
  primary key (tenant_id, id)
);

-- The last good version of every record of every source, in the neutral model's words.
-- gone_at is set only when absence was earned: a full, accepted snapshot lacks the record.
create table record (
  tenant_id text not null references tenant,
  source text not null,
  entity text not null,
  key text not null,
  institution text,
  person text,
  "group" text,
  body jsonb not null,
  changed_by uuid not null,
  gone_by uuid,
  gone_at timestamptz,
  primary key (tenant_id, source, entity, key)
);
create index record_person on record (tenant_id, entity, person);
create index record_group on record (tenant_id, "group") where entity = 'membership';

-- People, by an id of our own that outlives every id a feed knows.
create table person (
  tenant_id text not null references tenant,
  id uuid not null default gen_random_uuid(),
  created_at timestamptz not null default now(),
  primary key (tenant_id, id)
);

-- What recognises a person: ids in other systems. Names and e-mails are never evidence.
create table evidence (
  tenant_id text not null,
  system text not null,
  value text not null,
  person_id uuid not null,
  since timestamptz not null default now(),
  primary key (tenant_id, system, value),
  foreign key (tenant_id, person_id) references person
);
create index evidence_person on evidence (tenant_id, person_id);

-- Which person a source's person record was recognised as.
create table recognition (
  tenant_id text not null,
  source text not null,
  record_key text not null,
  person_id uuid not null,
  primary key (tenant_id, source, record_key),
  foreign key (tenant_id, person_id) references person
);
create index recognition_person on recognition (tenant_id, person_id);

-- The register of usernames: given once, kept for life, never given to someone else.
create table username (
  tenant_id text not null,
  username text not null,
  person_id uuid not null,
  given_at timestamptz not null default now(),
  primary key (tenant_id, username),
  unique (tenant_id, person_id),
  foreign key (tenant_id, person_id) references person
);

-- The ledger: what should stand in a target and what the target last confirmed.
create table resource (
  tenant_id text not null references tenant,
  target text not null,
  kind text not null,
  key text not null,
  ref text not null generated always as (kind || '/' || key) stored,
  institution text,
  title text not null,
  person_id uuid,
  needs text[] not null default '{}',
  desired jsonb,
  applied jsonb,
  external_id text,
  state text not null check (state in ('due', 'settled', 'failed')),
  lane text not null check (lane in ('now', 'sync', 'bulk')),
  attempts integer not null default 0,
  due_at timestamptz not null default now(),
  leased_until timestamptz,
  failure jsonb,
  -- A committed change whose day has not come: scheduled null with a scheduled_at means deletion.
  scheduled jsonb,
  scheduled_at timestamptz,
  inactive_since timestamptz,
  plan_id uuid,
  changed_at timestamptz not null default now(),
  settled_at timestamptz,
  primary key (tenant_id, target, kind, key)
);
create unique index resource_ref on resource (tenant_id, target, ref);
create index resource_due on resource (tenant_id, target, lane, kind, due_at) where state = 'due';
create index resource_scheduled on resource (tenant_id, scheduled_at) where scheduled_at is not null;
create index resource_person on resource (tenant_id, person_id);

-- A set of changes to desired state; immutable once it has its hash.
create table plan (
  tenant_id text not null references tenant,
  id uuid not null default gen_random_uuid(),
  created_at timestamptz not null default now(),
  snapshot_id uuid,
  state text not null check (state in ('open', 'committed', 'superseded')),
  hash text,
  summary jsonb not null default '{}',
  committed_at timestamptz,
  primary key (tenant_id, id)
);

create table change (
  tenant_id text not null,
  plan_id uuid not null,
  seq integer not null,
  target text not null,
  kind text not null,
  key text not null,
  institution text,
  title text not null,
  person_id uuid,
  needs text[] not null,
  action text not null check (action in ('create', 'update', 'deactivate', 'delete')),
  before jsonb,
  after jsonb,
  not_before timestamptz,
  reason jsonb not null,
  lane text not null,
  -- Code of the limit that holds the change; null: it goes on.
  held text,
  -- Set at commit: 'committed', 'held', or 'stale' where the ledger had moved since the preview.
  outcome text,
  primary key (tenant_id, plan_id, seq),
  foreign key (tenant_id, plan_id) references plan on delete cascade
);

do $$
declare name text;
begin
  foreach name in array array['snapshot','record','person','evidence','recognition',
    'username','resource','plan','change'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format($p$create policy tenant on %I
      using (tenant_id = current_setting('skolebus.tenant', true))
      with check (tenant_id = current_setting('skolebus.tenant', true))$p$, name);
  end loop;
end $$;
