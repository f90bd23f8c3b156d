-- People whose accounts an operator keeps whatever the feed says: alive until a day (`keep`), or from
-- deletion until further notice (`legal-hold`). What has ended stays, for those who ask later.
create table keep_alive (
  tenant_id text not null,
  id uuid not null default gen_random_uuid(),
  person_id uuid not null,
  kind text not null check (kind in ('keep', 'legal-hold')),
  -- The last day; null: no end, for a legal hold only.
  until date check (until is not null or kind = 'legal-hold'),
  reason text not null,
  by text not null,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  ended_by text,
  primary key (tenant_id, id),
  foreign key (tenant_id, person_id) references person
);
create unique index keep_alive_open on keep_alive (tenant_id, person_id, kind) where ended_at is null;

-- The institution that an operator chose to be somebody's first, as long as he or she is there.
create table primary_choice (
  tenant_id text not null,
  person_id uuid not null,
  institution text not null,
  by text not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, person_id),
  foreign key (tenant_id, person_id) references person
);

do $$
declare name text;
begin
  foreach name in array array['keep_alive', 'primary_choice'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format($p$create policy tenant on %I
      using (tenant_id = current_setting('skolebus.tenant', true))
      with check (tenant_id = current_setting('skolebus.tenant', true))$p$, name);
  end loop;
end $$;
