-- Jobs are looked for by their kind and state, and by words of their name and their files' names (domain/search.py).

ALTER TABLE job ADD COLUMN search text NOT NULL DEFAULT '';
UPDATE job SET search = lower(concat_ws(E'\n', options ->> 'name',
    (SELECT string_agg(name, E'\n' ORDER BY position) FROM video WHERE job_id = job.id)));

CREATE INDEX job_listed ON job (workspace, kind, state, created_at DESC, id DESC)
    WHERE expired_because IS DISTINCT FROM 'deleted';
DROP INDEX job_of_workspace;

-- What a job's videos and takes add up to. A video that failed before it had takes counts all it was to have.
CREATE FUNCTION job_sum(job uuid, wanted integer) RETURNS TABLE (
    videos bigint, failed_videos bigint, progress double precision, names text[], pictured uuid, completed bigint,
    failed bigint) LANGUAGE sql STABLE AS $$
    SELECT whole.videos, whole.failed_videos, whole.progress, whole.names, whole.pictured, takes.completed,
        takes.failed + whole.barren * wanted
    FROM (
        SELECT count(*) AS videos, count(*) FILTER (WHERE v.state = 'failed') AS failed_videos,
            avg(v.progress) AS progress, array_agg(v.name ORDER BY v.position) AS names,
            (array_agg(v.id ORDER BY v.position) FILTER (WHERE v.thumb_key IS NOT NULL))[1] AS pictured,
            count(*) FILTER (WHERE v.state = 'failed' AND NOT EXISTS (
                SELECT FROM variation WHERE video_id = v.id)) AS barren
        FROM video v WHERE v.job_id = job
    ) whole, (
        SELECT count(*) FILTER (WHERE a.state = 'completed') AS completed,
            count(*) FILTER (WHERE a.state = 'failed') AS failed
        FROM video v JOIN variation a ON a.video_id = v.id WHERE v.job_id = job
    ) takes
$$;
