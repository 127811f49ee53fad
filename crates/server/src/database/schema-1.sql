-- A study and what is known of it. `taken` is the number of instances its running or last job began with,
-- `read` the number its result is of.
CREATE TABLE study (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('arriving', 'complete', 'queued', 'running', 'done', 'failed')),
    first_arrival INTEGER NOT NULL,
    last_arrival INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    taken INTEGER NOT NULL DEFAULT 0,
    read INTEGER NOT NULL DEFAULT 0,
    score REAL,
    flagged INTEGER NOT NULL DEFAULT 0,
    synthetic INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    result TEXT UNIQUE
) STRICT;
CREATE INDEX study_by_state ON study (state, last_arrival);
CREATE INDEX study_by_suspicion ON study (flagged DESC, score DESC, id);

CREATE TABLE instance (
    uid TEXT PRIMARY KEY,
    study INTEGER NOT NULL REFERENCES study (id) ON DELETE CASCADE,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    class TEXT NOT NULL,
    modality TEXT NOT NULL,
    arrived_at INTEGER NOT NULL
) STRICT;
CREATE INDEX instance_by_study ON instance (study);
CREATE INDEX instance_by_content ON instance (sha256);

-- One job per study and kind, for `send` also per destination. `token` counts how often it was taken: a
-- worker whose lease ran out cannot finish what another one has taken since.
CREATE TABLE job (
    id INTEGER PRIMARY KEY,
    study INTEGER NOT NULL REFERENCES study (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('assess', 'send')),
    destination TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER NOT NULL DEFAULT 0,
    token INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    UNIQUE (study, kind, destination)
) STRICT;
CREATE INDEX job_by_state ON job (state, kind, not_before);
