//! The conformance statement says what the code negotiates.

use std::path::Path;

use lobule_dicomio::dimse::conformance_tables;

const START: &str = "<!-- made by the code -->\n";
const END: &str = "<!-- end -->";

#[test]
fn the_tables_of_the_conformance_statement_are_the_code_s_own() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance/dimse.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once(START).unwrap();
    let (tables, after) = rest.split_once(END).unwrap();
    if std::env::var_os("LOBULE_BLESS").is_some() {
        let written = [before, START, &conformance_tables(), END, after].concat();
        std::fs::write(&file, written).unwrap();
        return;
    }
    assert_eq!(
        tables,
        conformance_tables(),
        "LOBULE_BLESS=1 writes them anew"
    );
}
