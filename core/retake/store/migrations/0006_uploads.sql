-- Uploads that can be continued, and the room that is kept for whatever arrives.

-- An upload's bytes are the chunks of the source of the same id; it ends as finished, then used by one job, or gone.
CREATE TABLE upload (
    id       uuid PRIMARY KEY REFERENCES source ON DELETE CASCADE,
    name     text NOT NULL,
    metadata text NOT NULL,
    length   bigint NOT NULL CHECK (length > 0),
    received bigint NOT NULL DEFAULT 0,
    pieces   integer NOT NULL DEFAULT 0,
    head     bytea DEFAULT '',
    writer   uuid,
    state    text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'finished', 'used', 'gone')),
    job_id   uuid,
    CONSTRAINT "an upload has no more bytes than it declared" CHECK (received BETWEEN 0 AND length),
    CONSTRAINT "an open upload lacks bytes, and a finished one lacks none" CHECK (
        CASE state WHEN 'open' THEN received < length WHEN 'gone' THEN true ELSE received = length END),
    CONSTRAINT "a used upload names its job, and no other does" CHECK ((state = 'used') = (job_id IS NOT NULL))
);

-- Bytes that were declared and are not here yet: of an upload, or of a request whose job will have this id.
CREATE TABLE reservation (
    id         uuid PRIMARY KEY,
    workspace  uuid NOT NULL REFERENCES workspace,
    bytes      bigint NOT NULL CHECK (bytes >= 0),
    touched_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX source_by_age ON source (touched_at) WHERE state <> 'gone';
CREATE INDEX chunk_half_put ON chunk (source_id) WHERE state = 'intent';
CREATE INDEX chunk_to_delete ON chunk (key) WHERE state = 'dropped';
CREATE INDEX job_unfinished ON job (workspace) WHERE ended_at IS NULL;
