-- Who may log in. Names differ by more than case. `password` is an Argon2id string (PHC).
CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    role TEXT NOT NULL CHECK (role IN ('admin', 'radiologist', 'researcher')),
    password TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Who is logged in. The token itself is with the browser alone.
CREATE TABLE session (
    token_hash TEXT PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    opened_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX session_by_account ON session (account);

-- Who did what, in one chain: each row carries the hash of the one before it. Rows are added at the end and
-- nowhere else, and never change.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_grows_at_its_end BEFORE INSERT ON audit
WHEN NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM audit)
    OR NEW.previous IS NOT coalesce((SELECT hash FROM audit ORDER BY id DESC LIMIT 1), '')
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- What readers say of findings. A row is never changed: the newest of a finding holds, one without a decision
-- takes the last one back. `result` is the folder of the result that was judged.
CREATE TABLE review (
    id INTEGER PRIMARY KEY,
    study INTEGER NOT NULL REFERENCES study (id) ON DELETE CASCADE,
    finding TEXT NOT NULL,
    decision TEXT CHECK (decision IN ('accepted', 'rejected')),
    comment TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    at INTEGER NOT NULL,
    result TEXT NOT NULL
) STRICT;
CREATE INDEX review_by_finding ON review (study, finding, id);

-- Models that were chosen for the service, the newest of a modality and role last. `folder` is empty where
-- the choice is to have none, or the one the service was started with.
CREATE TABLE model (
    id INTEGER PRIMARY KEY,
    modality TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('active', 'shadow')),
    folder TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    chosen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX model_by_role ON model (role, modality, id);

-- What a shadow model made of a study, beside the result that counts. It is kept and never sent.
CREATE TABLE shadow (
    study INTEGER PRIMARY KEY REFERENCES study (id) ON DELETE CASCADE,
    model TEXT NOT NULL,
    score REAL,
    flagged INTEGER NOT NULL,
    reason TEXT,
    result TEXT UNIQUE,
    of TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- Numbers and keys of this data folder that are made once.
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Who sent an instance, for rules on where its study goes.
ALTER TABLE instance ADD COLUMN source TEXT NOT NULL DEFAULT '';

CREATE INDEX study_by_arrival ON study (first_arrival DESC, id DESC);
CREATE INDEX study_by_change ON study (changed_at);
