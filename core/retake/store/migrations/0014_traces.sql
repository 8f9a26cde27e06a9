-- What the spans of a job are below, while traces are on: messages that carry it may be lost, this is not.
ALTER TABLE job ADD COLUMN traceparent text
    CONSTRAINT "a traceparent is as W3C writes it" CHECK (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
