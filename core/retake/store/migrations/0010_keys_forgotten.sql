-- Idempotency keys are forgotten after a day; until then their answers are told letter by letter.
CREATE INDEX idempotency_to_forget ON idempotency (created_at);
ALTER TABLE idempotency ALTER COLUMN answer TYPE json USING answer::json;
