-- One row per pass of the janitor: the API exports the newest as metrics.
CREATE TABLE janitor_run (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    counts     jsonb NOT NULL DEFAULT '{}'
);
