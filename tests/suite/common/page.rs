//! Tables in documents that a test makes again.

use std::path::PathBuf;

/// That `docs/oracle.md` has this text between `<!-- begin NAME -->` and `<!-- end NAME -->`; with GDSTAR_BLESS set it is
/// written there.
pub fn oracle_page_holds(name: &str, measured: &str) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "docs", "oracle.md"].iter().collect();
    let page = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let start = page.find(&begin).expect("docs/oracle.md has the table's begin") + begin.len();
    let length = page[start..].find(&end).expect("docs/oracle.md has the table's end");
    if std::env::var_os("GDSTAR_BLESS").is_some() {
        std::fs::write(&path, [&page[..start], measured, &page[start + length..]].concat()).unwrap();
    } else {
        let found = &page[start..start + length];
        assert_eq!(found, measured, "GDSTAR_BLESS=1 cargo test --test suite oracle:: rewrites it");
    }
}
