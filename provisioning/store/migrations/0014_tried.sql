-- States that attempts may have written since `applied` was confirmed, wholly or in part, and that are
-- desired no more; the newest ten. Connectors take back what they gave by them. Without it, a pupil who was
-- moved while an answer was on its way stayed in the class of before.
alter table resource add column tried jsonb not null default '[]';

-- A trigger, because many statements write a desired state and none of them may forget it.
create function remember_tried() returns trigger language plpgsql as $$
begin
  if not new.tried @> jsonb_build_array(old.desired) then
    new.tried := new.tried || jsonb_build_array(old.desired);
    if jsonb_array_length(new.tried) > 10 then new.tried := new.tried - 0; end if;
  end if;
  return new;
end $$;

create trigger resource_tried before update of desired on resource for each row
  when (old.desired is distinct from new.desired and old.desired is not null and old.attempts > 0)
  execute function remember_tried();
