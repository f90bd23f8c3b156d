-- Where the trace of a plan stands: of its making, and from its commit on of that. A W3C traceparent:
-- random numbers, nothing of what the plan is about. Null where traces are not recorded.
alter table plan add column traceparent text;
