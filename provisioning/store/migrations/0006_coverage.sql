-- What an accepted snapshot said of each institution: full, delta or silent per entity. It shows when
-- an institution is missing that came before, and when a source says nothing any more.
create table coverage (
  tenant_id text not null,
  snapshot_id uuid not null,
  institution text not null,
  affiliation text not null,
  "group" text not null,
  membership text not null,
  primary key (tenant_id, snapshot_id, institution),
  foreign key (tenant_id, snapshot_id) references snapshot on delete cascade
);
alter table coverage enable row level security;
alter table coverage force row level security;
create policy tenant on coverage
  using (tenant_id = current_setting('skolebus.tenant', true))
  with check (tenant_id = current_setting('skolebus.tenant', true));
