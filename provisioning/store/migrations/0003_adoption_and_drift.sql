-- Changes that take over what stands in a target already, and changes that mend what somebody changed
-- there by hand.
alter table change drop constraint change_action_check;
alter table change add constraint change_action_check
  check (action in ('create', 'update', 'deactivate', 'delete', 'adopt'));
alter table change add column origin text not null default 'policy'
  check (origin in ('policy', 'adoption', 'drift'));
-- Adoption: the target's own id of what the resource is linked to.
alter table change add column external_id text;
-- Drift: what the target was found to hold; null: nothing any more.
alter table change add column found jsonb;
-- Adoption asks what is linked already.
create index resource_external on resource (tenant_id, target, kind, external_id);
