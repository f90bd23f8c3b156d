-- When the target last answered about a resource, or did not: whatever came of it.
alter table resource add column tried_at timestamptz;

-- Every policy that was ever in force, as it was written. Nothing else decides what a sync wants.
create table policy_version (
  tenant_id text not null references tenant,
  version integer not null check (version > 0),
  text text not null,
  -- What the text meant when it was taken in, every default filled in: a default that a later Skolebus
  -- changes is a difference to be previewed, and not what is in force.
  policy jsonb not null,
  -- Over what the policy means, not over how it is written: comments and order of settings do not count.
  hash text not null,
  made_at timestamptz not null default now(),
  made_by text not null,
  -- Null: previewed, and not in force yet. The latest is the one in force.
  in_force_at timestamptz,
  -- The plan that previewed it; null for those that came without asking.
  plan_id uuid,
  primary key (tenant_id, version)
);
create index policy_version_plan on policy_version (tenant_id, plan_id) where plan_id is not null;
alter table policy_version enable row level security;
alter table policy_version force row level security;
create policy tenant on policy_version
  using (tenant_id = current_setting('skolebus.tenant', true))
  with check (tenant_id = current_setting('skolebus.tenant', true));

-- The preview of a policy that gave this name: given back with the preview, unless an account has it.
alter table username add column preview uuid;
create index username_preview on username (tenant_id) where preview is not null;
