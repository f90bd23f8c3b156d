-- What is not as it should be, few rows most of the time; counted by kind every minute. Without it, that
-- read the whole ledger: 200 ms with 98,000 rows of which none was due, against 2 ms.
create index resource_open on resource (tenant_id, kind) where state <> 'settled';

-- What a committed plan did not do. Without it, that read all its changes: 300 ms with 98,000 of them.
create index change_undone on change (tenant_id, plan_id) where outcome in ('held', 'left');
