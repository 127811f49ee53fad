-- What searches over the web (QIDO-RS) find studies, series and objects by, and what is shown of them: `attributes`
-- holds attributes in the DICOM JSON model, a line each. Names and identifiers of patients stand here and in the
-- instances, nowhere else. Names are in lower case, times have all their digits.
CREATE TABLE study_index (
    study INTEGER PRIMARY KEY REFERENCES study (id) ON DELETE CASCADE,
    uid TEXT NOT NULL,
    date TEXT NOT NULL,
    time TEXT NOT NULL,
    accession TEXT NOT NULL,
    referring TEXT NOT NULL,
    patient_name TEXT NOT NULL,
    patient_id TEXT NOT NULL,
    ident TEXT NOT NULL,
    description TEXT NOT NULL,
    attributes TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX study_index_by_uid ON study_index (uid);
CREATE INDEX study_index_by_date ON study_index (date DESC, time DESC, study);
CREATE INDEX study_index_by_time ON study_index (time, study);
CREATE INDEX study_index_by_accession ON study_index (accession, study);
CREATE INDEX study_index_by_referring ON study_index (referring, study);
CREATE INDEX study_index_by_patient_name ON study_index (patient_name, study);
CREATE INDEX study_index_by_patient_id ON study_index (patient_id, study);
CREATE INDEX study_index_by_ident ON study_index (ident, study);
CREATE INDEX study_index_by_description ON study_index (description, study);

-- Text in the middle of a value is found by any three signs that follow each other.
CREATE VIRTUAL TABLE study_text USING fts5 (
    accession, referring, patient_name, patient_id, ident, description,
    content = 'study_index', content_rowid = 'study', tokenize = 'trigram case_sensitive 1'
);
CREATE TRIGGER study_index_in AFTER INSERT ON study_index BEGIN
    INSERT INTO study_text (rowid, accession, referring, patient_name, patient_id, ident, description)
    VALUES (new.study, new.accession, new.referring, new.patient_name, new.patient_id, new.ident, new.description);
END;
CREATE TRIGGER study_index_out AFTER DELETE ON study_index BEGIN
    INSERT INTO study_text (study_text, rowid, accession, referring, patient_name, patient_id, ident, description)
    VALUES ('delete', old.study, old.accession, old.referring, old.patient_name, old.patient_id, old.ident, old.description);
END;

CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    study INTEGER NOT NULL REFERENCES study (id) ON DELETE CASCADE,
    uid TEXT NOT NULL,
    modality TEXT NOT NULL,
    number INTEGER,
    objects INTEGER NOT NULL DEFAULT 0,
    attributes TEXT NOT NULL,
    UNIQUE (study, uid)
) STRICT;
CREATE INDEX series_by_study ON series (study, id);
CREATE INDEX series_by_uid ON series (uid, id);
CREATE INDEX series_by_modality ON series (modality, id);
CREATE INDEX series_by_number ON series (number, id);

-- Studies by the modalities of their series, the newest first.
CREATE TABLE study_modality (
    modality TEXT NOT NULL,
    date TEXT NOT NULL,
    time TEXT NOT NULL,
    study INTEGER NOT NULL REFERENCES study (id) ON DELETE CASCADE,
    PRIMARY KEY (modality, date DESC, time DESC, study)
) STRICT, WITHOUT ROWID;
CREATE INDEX study_modality_by_study ON study_modality (study, modality);
CREATE TRIGGER series_in AFTER INSERT ON series BEGIN
    INSERT OR IGNORE INTO study_modality (modality, date, time, study)
    SELECT new.modality, date, time, study FROM study_index WHERE study = new.study;
END;
CREATE TRIGGER series_out AFTER DELETE ON series BEGIN
    DELETE FROM study_modality WHERE study = old.study AND modality = old.modality
    AND NOT EXISTS (SELECT 1 FROM series WHERE study = old.study AND modality = old.modality);
END;

-- Instances that arrived lie in the store by their content; objects of a study's result lie below its folder.
CREATE TABLE object (
    id INTEGER PRIMARY KEY,
    series INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    uid TEXT NOT NULL,
    class TEXT NOT NULL,
    syntax TEXT NOT NULL,
    number INTEGER,
    sha256 TEXT,
    result_file TEXT,
    attributes TEXT NOT NULL,
    CHECK ((sha256 IS NULL) <> (result_file IS NULL))
) STRICT;
CREATE UNIQUE INDEX object_by_uid ON object (uid);
CREATE INDEX object_by_series ON object (series, id);
CREATE INDEX object_by_class ON object (class, id);
CREATE INDEX object_by_number ON object (number, id);
CREATE TRIGGER object_in AFTER INSERT ON object BEGIN
    UPDATE series SET objects = objects + 1 WHERE id = new.series;
END;
CREATE TRIGGER object_out AFTER DELETE ON object BEGIN
    UPDATE series SET objects = objects - 1 WHERE id = old.series;
    DELETE FROM series WHERE id = old.series AND objects <= 0;
END;

-- What was there before and has still to be read.
CREATE TABLE unindexed (
    instance TEXT PRIMARY KEY REFERENCES instance (uid) ON DELETE CASCADE
) STRICT;
INSERT INTO unindexed SELECT uid FROM instance;
CREATE TABLE unindexed_result (
    study INTEGER PRIMARY KEY REFERENCES study (id) ON DELETE CASCADE
) STRICT;
INSERT INTO unindexed_result SELECT id FROM study WHERE result IS NOT NULL;
