-- Answers to writes that came with an Idempotency-Key: the same key gets the same answer again.
create table kept_answer (
  tenant_id text not null references tenant,
  key_hash text not null,
  operation text not null,
  -- Null while the write is under way, or when its process died.
  answer jsonb,
  kept_at timestamptz not null default now(),
  primary key (tenant_id, key_hash)
);
alter table kept_answer enable row level security;
alter table kept_answer force row level security;
create policy tenant on kept_answer
  using (tenant_id = current_setting('skolebus.tenant', true))
  with check (tenant_id = current_setting('skolebus.tenant', true));
