-- Plans that are approved in parts and by two people, run out, and can be turned back.
alter table plan add column expires_at timestamptz;
-- Whether policy asked, when the plan was made, that somebody approves it whom somebody else commits.
alter table plan add column four_eyes boolean not null default false;
alter table plan add column committed_by text;
-- The plan that this one turns back.
alter table plan add column undoes uuid;
-- The committed plan whose overtaken part this one plans again.
alter table plan add column replans uuid;
-- A change's outcome may be 'left' too: its part of the plan was not approved.
alter table change drop constraint change_origin_check;
alter table change add constraint change_origin_check
  check (origin in ('policy', 'adoption', 'drift', 'undo'));

create table plan_approval (
  tenant_id text not null,
  plan_id uuid not null,
  -- Who, in the words of whoever signs people in; and as people read it.
  who text not null,
  name text not null,
  at timestamptz not null,
  selection jsonb not null,
  primary key (tenant_id, plan_id, who),
  foreign key (tenant_id, plan_id) references plan on delete cascade
);

-- What somebody turned back: as long as policy wants just this again, the change is held.
create table undone (
  tenant_id text not null references tenant,
  target text not null,
  kind text not null,
  key text not null,
  after jsonb not null,
  -- The undo that did it.
  plan_id uuid not null,
  since timestamptz not null default now(),
  primary key (tenant_id, target, kind, key)
);

do $$
declare name text;
begin
  foreach name in array array['plan_approval','undone'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format($p$create policy tenant on %I
      using (tenant_id = current_setting('skolebus.tenant', true))
      with check (tenant_id = current_setting('skolebus.tenant', true))$p$, name);
  end loop;
end $$;
