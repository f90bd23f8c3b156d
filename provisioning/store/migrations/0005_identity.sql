-- What a person decided about somebody whose evidence contradicted itself stands as long as the feed
-- says the same: `claims` is a hash of everything the source claimed of the record's identity then.
create table settled_identity (
  tenant_id text not null references tenant,
  source text not null,
  record_key text not null,
  -- 'person', or 'contact': the record in its part as somebody's guardian.
  part text not null check (part in ('person', 'contact')),
  claims text not null,
  -- Of a contact: whether what it gives is passed on.
  passed boolean not null default true,
  primary key (tenant_id, source, record_key, part)
);
alter table settled_identity enable row level security;
alter table settled_identity force row level security;
create policy tenant on settled_identity
  using (tenant_id = current_setting('skolebus.tenant', true))
  with check (tenant_id = current_setting('skolebus.tenant', true));
