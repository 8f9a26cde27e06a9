-- How far the takes of a video were kept apart (retake/domain/distinct.py): as planned, then as measured.

ALTER TABLE video ADD COLUMN distinctness jsonb;
