//! What must hold for any bytes given as a table of a study: ratings, marks or follow-up, as text,
//! Parquet or a workbook.

use std::path::Path;

use lobule_study::Error;
use lobule_study::table::{ReadConfig, Study, SurvivalColumns, SurvivalTable};

/// For inputs of some KiB that unpack to at most some MiB.
pub const MOST_BYTES: usize = 256 << 20;

/// A table or an error with a reason; whether there was a table.
pub fn run(bytes: &[u8], folder: &Path) -> bool {
    let name = match bytes {
        [b'P', b'K', ..] => "table.xlsx",
        [b'P', b'A', b'R', b'1', ..] => "table.parquet",
        _ => "table.csv",
    };
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("the folder can be written to");
    let study = Study::read(&path, &ReadConfig::default()).map_err(has_reason);
    let columns = SurvivalColumns {
        time: "time".into(),
        event: "event".into(),
        groups: vec!["group".into()],
        ..SurvivalColumns::default()
    };
    let survival = SurvivalTable::read(&path, &columns).map_err(has_reason);
    std::fs::remove_file(&path).expect("the file can be removed");
    study.is_ok() || survival.is_ok()
}

fn has_reason(error: Error) {
    assert!(!error.to_string().is_empty(), "{:?}", error.kind());
}
