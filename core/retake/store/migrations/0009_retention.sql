-- What is kept, what goes, and what was found lying about (docs/retention.md).

ALTER TABLE job ADD COLUMN kept boolean NOT NULL DEFAULT false;
CREATE INDEX job_ended ON job (ended_at, id) WHERE ended_at IS NOT NULL AND wish <> 'expire';
CREATE INDEX job_to_forget ON job (purged_at) WHERE purged_at IS NOT NULL;
CREATE INDEX part_of_job ON part (job_id);  -- for who deletes a job

-- Objects that no row knows of, each since it was first seen so.
CREATE TABLE orphan (
    key        text PRIMARY KEY,
    size       bigint NOT NULL,
    first_seen timestamptz NOT NULL DEFAULT now(),
    last_seen  timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE janitor_run ADD COLUMN errors jsonb NOT NULL DEFAULT '{}';

-- What the ledger is charged for what a job makes; its sources are charged by themselves.
CREATE FUNCTION job_bytes(wanted uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(v.reserved + coalesce(takes.bytes, 0)), 0)::bigint
    FROM job j JOIN video v ON v.job_id = j.id
    CROSS JOIN LATERAL (SELECT sum(coalesce(size, reserved)) AS bytes FROM variation WHERE video_id = v.id) takes
    WHERE j.id = wanted AND j.purged_at IS NULL
$$;

-- Sources that go when this job does: they are still there, and no other job that stays has a video of them.
CREATE FUNCTION job_source_bytes(wanted uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(s.size), 0)::bigint FROM source s
    WHERE s.state = 'ready' AND s.origin = 'upload' AND s.id IN (SELECT source_id FROM video WHERE job_id = wanted)
        AND NOT EXISTS (
            SELECT FROM video v JOIN job j ON j.id = v.job_id
            WHERE v.source_id = s.id AND j.id <> wanted AND j.wish <> 'expire')
$$;
