-- How much of a take that waits is done, by the frames its running part tells with each heartbeat; none when it runs
-- nowhere. Never all of it: it is done when it is committed.
CREATE FUNCTION take_share(video uuid, take integer) RETURNS real LANGUAGE sql STABLE AS $$
    SELECT least(0.99, (p.frames ->> take::text)::real / nullif((v.probe ->> 'frames')::real, 0))::real
    FROM part p JOIN video v ON v.id = p.video_id
    WHERE p.video_id = video AND p.state = 'running' AND take = ANY(p.indices) AND p.frames ? take::text
$$;
