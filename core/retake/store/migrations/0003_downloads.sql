-- Who is sending a job's bytes, and until when nobody may delete them (docs/states.md, guard i).
CREATE TABLE download (
    id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    job_id   uuid NOT NULL REFERENCES job ON DELETE CASCADE,
    began_at timestamptz NOT NULL DEFAULT now(),
    until    timestamptz NOT NULL
);
CREATE INDEX download_of_job ON download (job_id, until);
CREATE INDEX download_lapsed ON download (until);

-- What deletes bytes asks this in a statement of its own, after it locked the job's row: leases are taken under that lock.
CREATE FUNCTION being_downloaded(job uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM download WHERE job_id = job AND until > now())
$$;

-- As before; and while somebody downloads from a video's job.
CREATE OR REPLACE FUNCTION source_needed(wanted uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM video v JOIN job j ON j.id = v.job_id
        WHERE v.source_id = wanted AND (
            v.state IN ('queued', 'processing')
            OR being_downloaded(j.id)
            OR (j.wish <> 'expire' AND (
                coalesce((j.options ->> 'keepSource')::boolean, false)
                OR (v.error_code IS NULL AND v.state = 'cancelled')
                OR v.error_code IN ('timeout', 'out_of_memory', 'encoder', 'worker_lost', 'internal')
                OR EXISTS (SELECT FROM variation WHERE video_id = v.id AND state <> 'completed')))))
$$;
