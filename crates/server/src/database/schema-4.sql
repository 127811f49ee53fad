-- A study that was fetched to be compared with another one is kept and not read unless somebody asks.
ALTER TABLE study ADD COLUMN prior INTEGER NOT NULL DEFAULT 0;

-- The fetching of a study's priors, and what came of it.
CREATE TABLE fetch (
    study INTEGER PRIMARY KEY REFERENCES study (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,
    found INTEGER NOT NULL DEFAULT 0,
    reason TEXT
) STRICT;
CREATE INDEX fetch_by_state ON fetch (state, not_before);

-- Studies that an archive was asked to send.
CREATE TABLE wanted (
    uid TEXT PRIMARY KEY,
    study INTEGER NOT NULL REFERENCES study (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX wanted_by_study ON wanted (study);
