-- An operator has asked for the start password to be set once more: a number of its own for each time it was
-- asked, so that a worker that answers for an earlier one does not end this one. Null: nobody did, or it is done.
alter table resource add column start_again uuid;
