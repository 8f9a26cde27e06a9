-- Webhooks: what is to be told to whom, and what became of it. Written with the event it tells of, in one transaction.

CREATE TABLE delivery (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    job_id     uuid NOT NULL REFERENCES job ON DELETE CASCADE,
    number     integer NOT NULL,
    url        text NOT NULL,
    kind       text NOT NULL,
    body       jsonb NOT NULL,
    state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'refused', 'given_up')),
    attempts   integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    next_at    timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    answered   integer,
    error      text,
    UNIQUE (job_id, number),
    CONSTRAINT "ended_at is set exactly when nothing is tried any more" CHECK ((state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX delivery_waiting ON delivery (next_at) WHERE state = 'waiting';
