-- Who is logged in. The token itself is nowhere: whoever reads this table can log in as nobody.

CREATE TABLE session (
    token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    workspace    uuid NOT NULL REFERENCES workspace,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL
);
CREATE INDEX session_to_forget ON session (expires_at);
