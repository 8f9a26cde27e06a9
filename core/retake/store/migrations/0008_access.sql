-- Who may call: what signs tokens, how often a password was tried, and which password opened a session.

-- One row, made here, so that all replicas sign alike and nobody has to hand out a secret.
CREATE TABLE signing_key (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    key    bytea NOT NULL CHECK (length(key) = 32)
);
INSERT INTO signing_key (key)
VALUES (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid() || gen_random_uuid(), 'UTF8')));

-- A session made by the release before this one has none, and opens nothing any more.
ALTER TABLE session ADD COLUMN password bytea CHECK (length(password) = 32);

CREATE TABLE login_attempt (
    client   text PRIMARY KEY CHECK (client <> ''),  -- an address, a network of them, or * for all together
    failures integer NOT NULL DEFAULT 1 CHECK (failures >= 0),
    since    timestamptz NOT NULL DEFAULT now(),
    good_at  timestamptz
);
CREATE INDEX login_attempt_to_forget ON login_attempt (since);
