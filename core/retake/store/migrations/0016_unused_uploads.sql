-- Uploads that wait for their job are counted when another begins.
CREATE INDEX upload_unused ON upload (id) WHERE state IN ('open', 'finished');
