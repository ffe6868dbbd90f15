//! Table 8: what a step launches, counted on the stand-in, which checks each launch and computes nothing.

use crate::common::{done, repository, scratch};

/// The rows of `docs/cuda.md` are what is counted, for all of the table's networks.
#[test]
fn the_launches_of_table_8s_networks_are_those_of_the_docs() {
    let store = scratch();
    let store = store.path().join("store");
    let said = done(&[("STANDIN_COUNT_ONLY", "1")], &["reproduce", "table8", "--store", store.to_str().unwrap()]);
    assert!(said.contains("stand-in"), "the device is not named: {said}");
    let docs = std::fs::read_to_string(repository().join("docs/cuda.md")).unwrap();
    let [counted, told] = [&said, &docs].map(|text| rows(text));
    for network in gdstar::experiment::reported::TABLE8.networks() {
        let row = |of: &[Vec<String>], width: usize| {
            let found = of.iter().find(|row| row.len() == width && row[0] == network);
            found.unwrap_or_else(|| panic!("no {network} in: {of:?}"))[1..4].to_vec()
        };
        assert_eq!(row(&counted, 4), row(&told, 6), "{network}");
    }
}

/// The cells of every row of the tables in a text.
fn rows(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect();
    text.lines().filter(|line| line.starts_with('|')).map(cells).collect()
}
