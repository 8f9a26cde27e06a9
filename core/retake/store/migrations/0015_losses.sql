-- Each time a worker was lost with a part in hand; and why, where Kubernetes could tell (retake/domain/losses.py).

CREATE TABLE loss (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    part_id bigint NOT NULL REFERENCES part ON DELETE CASCADE,
    index   integer,
    worker  text NOT NULL,
    seen_at timestamptz NOT NULL,
    at      timestamptz NOT NULL DEFAULT now(),
    because text CHECK (because IN ('out_of_memory', 'evicted'))
);
COMMENT ON COLUMN loss.index IS 'the take that was tried alone';
COMMENT ON COLUMN loss.seen_at IS 'its last heartbeat; it was taken for lost at `at`, and went away between the two';
CREATE INDEX loss_of_part ON loss (part_id);
CREATE INDEX loss_unexplained ON loss (worker) WHERE because IS NULL;
