-- What happened, counted once from the event log, for metrics: the counts survive whoever counts.

CREATE TABLE tally (
    what   text NOT NULL,
    labels text[] NOT NULL,
    n      double precision NOT NULL,
    PRIMARY KEY (what, labels)
);

-- Within a workspace ids are in commit order (rule 0), so all up to this one are counted, and none after it. What was
-- before this was made is not.
ALTER TABLE workspace ADD COLUMN tallied_to bigint NOT NULL DEFAULT 0;
UPDATE workspace SET tallied_to = coalesce((SELECT max(id) FROM event WHERE workspace = workspace.id), 0);
