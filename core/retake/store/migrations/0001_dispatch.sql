-- Everything the dispatch protocol rests on (docs/architecture.md). Names of constraints are sentences: they are what an
-- operator reads when code breaks a rule.

-- Never reused: a claim taken from here fences every write of the worker that holds it.
CREATE SEQUENCE claims;

CREATE TABLE workspace (
    id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    number integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    name   text NOT NULL UNIQUE,
    weight real NOT NULL DEFAULT 1 CHECK (weight > 0)
);

-- The ledger: bytes stored and bytes promised, one row per workspace; the total is their sum.
CREATE TABLE storage (
    workspace uuid PRIMARY KEY REFERENCES workspace,
    bytes     bigint NOT NULL DEFAULT 0,
    CONSTRAINT "a workspace never uses less than nothing" CHECK (bytes >= 0)
);

CREATE TABLE source (
    id         uuid PRIMARY KEY,
    workspace  uuid NOT NULL REFERENCES workspace,
    origin     text NOT NULL DEFAULT 'upload' CHECK (origin IN ('upload', 'import')),
    state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'ready', 'gone')),
    size       bigint CHECK (size >= 0),
    sha256     text,
    touched_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT "a source that is ready has a size" CHECK (state <> 'ready' OR size IS NOT NULL)
);

CREATE TABLE chunk (
    source_id uuid NOT NULL REFERENCES source ON DELETE CASCADE,
    n         integer NOT NULL,
    start     bigint NOT NULL,
    size      integer NOT NULL CHECK (size > 0),
    sha256    text NOT NULL,
    key       text PRIMARY KEY,
    state     text NOT NULL DEFAULT 'intent' CHECK (state IN ('intent', 'done', 'dropped'))
);
CREATE UNIQUE INDEX chunk_done ON chunk (source_id, n) WHERE state = 'done';
CREATE INDEX chunk_of_source ON chunk (source_id);

CREATE TABLE job (
    id              uuid PRIMARY KEY,
    workspace       uuid NOT NULL REFERENCES workspace,
    kind            text NOT NULL CHECK (kind IN ('variations', 'catalog')),
    wish            text NOT NULL DEFAULT 'run' CHECK (wish IN ('run', 'pause', 'cancel', 'expire')),
    state           text NOT NULL DEFAULT 'queued' CHECK (
        state IN ('queued', 'processing', 'paused', 'cancelling', 'completed', 'failed', 'cancelled', 'expired')),
    variations      integer NOT NULL CHECK (variations BETWEEN 0 AND 20),
    options         jsonb NOT NULL DEFAULT '{}',
    seed            bigint NOT NULL,
    priority        real NOT NULL DEFAULT 1 CHECK (priority > 0),
    created_at      timestamptz NOT NULL DEFAULT now(),
    started_at      timestamptz,
    ended_at        timestamptz,
    retention       interval NOT NULL DEFAULT '24 hours',
    expires_at      timestamptz,
    expired_because text CHECK (expired_because IN ('age', 'space', 'deleted')),
    purged_at       timestamptz,
    CONSTRAINT "ended_at is set exactly when the job has ended"
        CHECK ((ended_at IS NOT NULL) = (state IN ('completed', 'failed', 'cancelled', 'expired'))),
    CONSTRAINT "expires_at is set exactly when the job has ended" CHECK ((expires_at IS NULL) = (ended_at IS NULL)),
    CONSTRAINT "a job says why it expires exactly when it does" CHECK ((wish = 'expire') = (expired_because IS NOT NULL)),
    CONSTRAINT "only an expired job is purged" CHECK (purged_at IS NULL OR state = 'expired')
);
CREATE INDEX job_of_workspace ON job (workspace, created_at DESC, id DESC);
CREATE INDEX job_to_expire ON job (expires_at) WHERE wish <> 'expire' AND expires_at IS NOT NULL;

CREATE TABLE video (
    id         uuid PRIMARY KEY,
    job_id     uuid NOT NULL REFERENCES job ON DELETE CASCADE,
    position   integer NOT NULL,
    name       text NOT NULL,
    source_id  uuid NOT NULL REFERENCES source,
    state      text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'processing', 'completed', 'failed', 'cancelled')),
    progress   real NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
    probe      jsonb,
    thumb_key  text,
    reserved   bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    error_code text,
    error      text,
    UNIQUE (job_id, position),
    CONSTRAINT "an error has a code and a sentence" CHECK ((error_code IS NULL) = (error IS NULL))
);
CREATE INDEX video_state ON video (job_id, state);
CREATE INDEX video_of_source ON video (source_id);

CREATE TABLE part (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id         uuid NOT NULL REFERENCES job ON DELETE CASCADE,
    video_id       uuid NOT NULL REFERENCES video ON DELETE CASCADE,
    kind           text NOT NULL CHECK (kind IN ('inspect', 'render')),
    indices        integer[] NOT NULL DEFAULT '{}',
    state          text NOT NULL CHECK (state IN ('queued', 'running', 'done', 'cancelled')),
    recipe_version integer NOT NULL,
    not_before     timestamptz NOT NULL DEFAULT now(),
    generation     integer NOT NULL DEFAULT 1,
    announced_at   timestamptz,
    announcements  integer NOT NULL DEFAULT 0,
    claim          bigint UNIQUE,
    worker         text,
    lease_until    timestamptz,
    failures       integer NOT NULL DEFAULT 0,
    releases       integer NOT NULL DEFAULT 0,
    trying_index   integer,
    frames         jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT "claim, worker and lease are set exactly when a part is running" CHECK (
        (state = 'running') = (claim IS NOT NULL)
        AND (state = 'running') = (worker IS NOT NULL)
        AND (state = 'running') = (lease_until IS NOT NULL)),
    CONSTRAINT "only a queued part is announced" CHECK (announced_at IS NULL OR state = 'queued'),
    CONSTRAINT "only a running part tries a take" CHECK (trying_index IS NULL OR state = 'running'),
    CONSTRAINT "a render part has takes and an inspect part has none"
        CHECK ((kind = 'render') = (cardinality(indices) > 0))
);
CREATE INDEX part_of_video ON part (video_id);
CREATE INDEX part_queued ON part (job_id, id) WHERE state = 'queued';
CREATE INDEX part_announced ON part (announced_at) WHERE announced_at IS NOT NULL;
CREATE INDEX part_running ON part (lease_until) WHERE state = 'running';

CREATE TABLE variation (
    video_id   uuid NOT NULL REFERENCES video ON DELETE CASCADE,
    index      integer NOT NULL CHECK (index >= 1),
    recipe     jsonb NOT NULL,
    state      text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'completed', 'failed', 'cancelled')),
    reserved   bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    losses     integer NOT NULL DEFAULT 0,
    claim      bigint,
    key        text,
    thumb_key  text,
    size       bigint,
    crc32      bigint,
    sha256     text,
    duration   double precision,
    distance   jsonb,
    error_code text,
    error      text,
    PRIMARY KEY (video_id, index),
    CONSTRAINT "a completed variation has its object, and no other has" CHECK (
        (state = 'completed') = (key IS NOT NULL AND size IS NOT NULL AND crc32 IS NOT NULL AND sha256 IS NOT NULL
        AND claim IS NOT NULL)),
    CONSTRAINT "bytes are promised exactly while a variation is queued" CHECK (state = 'queued' OR reserved = 0),
    CONSTRAINT "a failed variation says why" CHECK ((state = 'failed') = (error_code IS NOT NULL AND error IS NOT NULL))
);

-- History, replay and webhooks read here; ids are in commit order within a workspace (rule 0).
CREATE TABLE event (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace uuid NOT NULL REFERENCES workspace,
    job_id    uuid NOT NULL,
    kind      text NOT NULL,
    body      jsonb NOT NULL DEFAULT '{}',
    at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX event_of_job ON event (job_id, id);
CREATE INDEX event_of_workspace ON event (workspace, id);

CREATE TABLE idempotency (
    workspace   uuid NOT NULL REFERENCES workspace,
    key         text NOT NULL,
    owner       uuid NOT NULL,
    lease_until timestamptz NOT NULL,
    fingerprint text,
    answer      jsonb,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace, key),
    CONSTRAINT "an answer comes with the fingerprint of its request" CHECK ((answer IS NULL) = (fingerprint IS NULL))
);

-- The fleet: who is alive, and for how many parts at once.
CREATE TABLE worker (
    name           text PRIMARY KEY,
    version        text NOT NULL,
    recipe_version integer NOT NULL,
    slots          integer NOT NULL CHECK (slots > 0),
    started_at     timestamptz NOT NULL DEFAULT now(),
    seen_at        timestamptz NOT NULL DEFAULT now()
);

-- One holder at a time, as an optimisation: nothing breaks when two think they hold it.
CREATE TABLE duty (
    name   text PRIMARY KEY,
    holder text NOT NULL,
    until  timestamptz NOT NULL
);

-- When the last reap pass was, and until when an outage forbids to reap (rule 8). One row.
CREATE TABLE reaping (
    single      boolean PRIMARY KEY DEFAULT true CHECK (single),
    passed_at   timestamptz NOT NULL DEFAULT now(),
    quiet_until timestamptz NOT NULL DEFAULT now()
);
INSERT INTO reaping DEFAULT VALUES;

CREATE TABLE janitor_run (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    counts     jsonb NOT NULL DEFAULT '{}'
);

-- A video needs its source until it is expired, its error is final, or all its takes are completed. The codes are those
-- that retake/domain/errors.py does not call final.
CREATE FUNCTION source_needed(wanted uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM video v JOIN job j ON j.id = v.job_id
        WHERE v.source_id = wanted AND (
            v.state IN ('queued', 'processing')
            OR (j.wish <> 'expire' AND (
                coalesce((j.options ->> 'keepSource')::boolean, false)
                OR (v.error_code IS NULL AND v.state = 'cancelled')
                OR v.error_code IN ('timeout', 'out_of_memory', 'encoder', 'worker_lost', 'internal')
                OR EXISTS (SELECT FROM variation WHERE video_id = v.id AND state <> 'completed')))))
$$;
