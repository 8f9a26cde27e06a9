-- An upload's requests, and the job that uses it, are in the trace of the one that began it.
ALTER TABLE upload ADD COLUMN traceparent text
    CONSTRAINT "a traceparent is as W3C writes it" CHECK (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
