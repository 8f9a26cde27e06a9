-- What work was thought to take and what it took, so that people can be told when theirs is done; and where the workers
-- that are gone have gone.

ALTER TABLE video ADD COLUMN cost real CHECK (cost >= 0);
COMMENT ON COLUMN video.cost IS 'seconds of one slot that the plan gives all its takes; unknown until it is inspected';

-- Sums over what was finished lately, older work counting less and less: took / guessed corrects the next guess.
CREATE TABLE pace (
    what    text PRIMARY KEY,
    guessed double precision NOT NULL CHECK (guessed > 0),
    took    double precision NOT NULL CHECK (took >= 0)
);

ALTER TABLE worker
    ADD COLUMN gone_at timestamptz,
    ADD COLUMN took    double precision NOT NULL DEFAULT 0,
    ADD COLUMN made    double precision NOT NULL DEFAULT 0;
COMMENT ON COLUMN worker.made IS 'seconds of finished takes; made / took is its speed, in times real time';

CREATE INDEX job_active ON job (created_at, id) WHERE state IN ('queued', 'processing');
