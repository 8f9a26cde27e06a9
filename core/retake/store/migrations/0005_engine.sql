-- By what takes are made: the layers of the sandbox that hold on a worker, and the build of FFmpeg that gives a recipe
-- its bytes. Takes that were made before this was written down keep NULL.

ALTER TABLE worker
    ADD COLUMN sandbox text[] NOT NULL DEFAULT '{}',
    ADD COLUMN engine  text NOT NULL DEFAULT '';

ALTER TABLE variation ADD COLUMN engine text;
