-- What waits for a person, in one inbox: people whose evidence contradicts itself, losses beyond a
-- limit, links that are unclear. At most one hold of a code is open about a subject.
create table hold (
  tenant_id text not null references tenant,
  id uuid not null default gen_random_uuid(),
  code text not null,
  -- What it is about, in words that are the same from one plan to the next.
  subject text not null,
  institution text,
  person_id uuid,
  -- Counts, codes and ids of our own; never a personal value.
  evidence jsonb not null default '{}',
  state text not null default 'open' check (state in ('open', 'decided', 'gone')),
  opened_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  -- A decision: for the next commit only, or for every later case of the same subject until a day.
  choice text,
  scope text check (scope in ('once', 'rule')),
  until timestamptz,
  decided_by text,
  decided_at timestamptz,
  -- When a decision for once was used by a commit.
  spent_at timestamptz,
  primary key (tenant_id, id),
  check ((state = 'decided') = (choice is not null and scope is not null and decided_at is not null))
);
create unique index hold_open on hold (tenant_id, code, subject) where state = 'open';
create index hold_decided on hold (tenant_id, code, subject) where state = 'decided';
alter table hold enable row level security;
alter table hold force row level security;
create policy tenant on hold
  using (tenant_id = current_setting('skolebus.tenant', true))
  with check (tenant_id = current_setting('skolebus.tenant', true));
