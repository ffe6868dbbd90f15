//! The parser of `val_annotations.txt` by itself.

use super::super::fixtures::message;
use gdstar::data::image_folder::annotations::{Annotation, parse};
use proptest::prelude::*;
use std::path::Path;

#[test]
fn each_fault_is_named_with_its_line() {
    let good = "a.JPEG\tn1\t1\t2\t3\t4";
    let cases: [(Vec<u8>, &str); 9] = [
        (vec![], "line 1: expected 6 columns separated by tabs, found 1"),
        (b"\n".to_vec(), "line 1: expected 6 columns separated by tabs, found 1"),
        (format!("{good}\n\n").into(), "line 2: expected 6 columns separated by tabs, found 1"),
        (format!("{good}\t5").into(), "line 1: expected 6 columns separated by tabs, found 7"),
        (format!("{good}\nb.JPEG\tn1\t1\t2\t3").into(), "line 2: expected 6 columns separated by tabs, found 5"),
        (format!("{good}\n\tn1\t1\t2\t3\t4").into(), "line 2: expected a file's name and a class, found `` and `n1`"),
        (format!("{good}\nb\t\t1\t2\t3\t4").into(), "line 2: expected a file's name and a class, found `b` and ``"),
        (
            format!("{good}\n{good}").into(),
            "line 2: expected one annotation of a.JPEG, found a second, after that in line 1",
        ),
        ([good.as_bytes(), b"\nb\xff\tn1\t1\t2\t3\t4"].concat(), "line 2: expected text in UTF-8, found byte 0xff"),
    ];
    for (content, expected) in cases {
        assert_eq!(message(parse(Path::new("f"), &content), expected), format!("f: {expected}"));
    }
}

proptest! {
    /// What is written line by line is read line by line; lines may end as on Windows, and the last need not end.
    #[test]
    fn what_is_written_is_read(
        names in prop::collection::btree_set("[^\t\r\n]{1,12}", 1..20), class in "[^\t\r\n]{1,9}",
        ending in prop_oneof![Just("\n"), Just("\r\n")], ended: bool,
    ) {
        let lines: Vec<String> = names.iter().map(|name| format!("{name}\t{class}\t0\t1\t2\t3")).collect();
        let mut text = lines.join(ending);
        if ended {
            text.push_str(ending);
        }
        let expected: Vec<_> =
            names.iter().enumerate().map(|(i, file)| Annotation { line: i + 1, file, class: &class }).collect();
        prop_assert_eq!(parse(Path::new("f"), text.as_bytes()).unwrap(), expected);
    }
}

/// A file cut anywhere but in its last column is refused.
#[test]
fn a_cut_is_an_error() {
    let text = "val_0.JPEG\tn01\t0\t32\t44\t62\nval_1.JPEG\tn02\t0\t0\t63\t63\n";
    let complete = |length: usize| text[..length].lines().all(|line| line.matches('\t').count() == 5);
    for length in 0..text.len() {
        assert_eq!(
            parse(Path::new("f"), &text.as_bytes()[..length]).is_ok(),
            length > 0 && complete(length),
            "{length}"
        );
    }
}
