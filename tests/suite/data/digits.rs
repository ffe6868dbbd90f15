//! The embedded digits: the data itself, its split, its constants, its licence, and the reader of its table.

use super::bounds::FOUR_DECIMALS;
use super::fixtures::message;
use super::statistics::{assert_normalisation, histogram, sum};
use gdstar::data::{Images, Source, digits, load};
use proptest::prelude::*;
use std::path::Path;

/// The first digit of the table, a zero.
const FIRST: [u8; 64] = [
    0, 0, 5, 13, 9, 1, 0, 0, //
    0, 0, 13, 15, 10, 15, 5, 0, //
    0, 3, 15, 2, 0, 11, 8, 0, //
    0, 4, 12, 0, 0, 8, 8, 0, //
    0, 5, 8, 0, 0, 9, 8, 0, //
    0, 4, 11, 0, 1, 12, 7, 0, //
    0, 2, 14, 5, 10, 12, 0, 0, //
    0, 0, 6, 13, 10, 0, 0, 0,
];

#[test]
fn the_digits_are_those_of_the_source() {
    let data = load(Source::Digits, None).unwrap();
    assert_eq!(
        (data.name, data.classes.len(), data.train.shape, data.test.shape),
        ("digits", 10, [1, 8, 8], [1, 8, 8])
    );
    assert_eq!((data.train.image(0), data.train.labels[0]), (&FIRST[..], 0));
    assert_eq!(data.train.pixels.iter().chain(&data.test.pixels).max(), Some(&digits::MAX_PIXEL));
    assert_eq!((sum(&data.train), sum(&data.test)), (450_566, 111_152));
}

#[test]
fn the_split_has_the_documented_counts() {
    let data = load(Source::Digits, None).unwrap();
    assert_eq!((data.train.len(), data.test.len()), (1442, 355));
    assert_eq!(histogram(&data.test), [35, 36, 35, 36, 36, 36, 36, 35, 34, 36]);
    assert_eq!(histogram(&data.train), [143, 146, 142, 147, 145, 146, 145, 144, 140, 144]);
}

#[test]
fn normalisation_is_that_of_the_training_split() {
    assert_normalisation(&load(Source::Digits, None).unwrap(), FOUR_DECIMALS);
}

#[test]
fn the_attribution_says_what_the_licence_file_says() {
    let licence = include_str!("../../../src/data/digits.LICENSE.md").replace('\n', " ");
    for part in [
        "E. Alpaydin",
        "C. Kaynak",
        "Optical Recognition of Handwritten Digits",
        "1998",
        "10.24432/C50P49",
        "CC BY 4.0",
    ] {
        assert!(digits::ATTRIBUTION.contains(part) && licence.contains(part), "{part}");
    }
}

proptest! {
    /// Every fifth of each class goes to the test part; both parts keep the order and lose nothing.
    #[test]
    fn the_split_is_every_fifth_of_each_class(labels in prop::collection::vec(0_u16..10, 0..200)) {
        // One pixel an image, which numbers it.
        let samples = Images { shape: [1, 1, 1], pixels: (0..labels.len() as u8).collect(), labels };
        let (train, test) = digits::split(&samples);
        let class = |images: &Images, label: u16| -> Vec<u8> {
            (0..images.len()).filter(|&i| images.labels[i] == label).map(|i| images.pixels[i]).collect()
        };
        for label in 0..10 {
            let all = class(&samples, label);
            let (fifths, others): (Vec<_>, Vec<_>) = (1..).zip(all).partition(|(count, _)| count % 5 == 0);
            let numbers = |part: Vec<(usize, u8)>| part.into_iter().map(|(_, number)| number).collect::<Vec<u8>>();
            prop_assert_eq!(class(&test, label), numbers(fifths));
            prop_assert_eq!(class(&train, label), numbers(others));
        }
        for part in [&train, &test] {
            prop_assert!(part.pixels.is_sorted());
        }
        prop_assert_eq!(train.len() + test.len(), samples.len());
    }
}

/// A line with pixel `i` equal to `i % 17`.
fn line(label: &str) -> String {
    let pixels: Vec<String> = (0..64).map(|i| (i % 17).to_string()).collect();
    format!("{},{label}\n", pixels.join(","))
}

fn parse(table: &str) -> gdstar::Result<Images> {
    digits::parse(Path::new("t"), table.as_bytes())
}

#[test]
fn a_table_is_read_exactly() {
    let pixels: Vec<u8> = (0..64).map(|i| i % 17).collect();
    let expected = Images { shape: [1, 8, 8], pixels: pixels.repeat(2), labels: vec![3, 9] };
    let table = line("3") + &line("9");
    assert_eq!(parse(&table).unwrap(), expected);
    assert_eq!(parse(table.trim_end()).unwrap(), expected, "without the last line feed");
}

#[test]
fn each_fault_in_a_table_is_named_with_its_place() {
    let good = line("3");
    let cases = [
        (String::new(), "t: line 1, column 1: expected an integer from 0 to 16, found ``"),
        (good.clone() + "1,x", "t: line 2, column 2: expected an integer from 0 to 16, found `x`"),
        (good.clone() + "1,17,", "t: line 2, column 2: expected an integer from 0 to 16, found `17`"),
        (good.clone() + "1,-1,", "t: line 2, column 2: expected an integer from 0 to 16, found `-1`"),
        (good.clone() + "01,", "t: line 2, column 1: expected an integer from 0 to 16, found `01`"),
        (good.clone() + "1,2,3\n", "t: line 2: expected 65 columns, found 3"),
        (good.clone() + "\n" + &good, "t: line 2, column 1: expected an integer from 0 to 16, found ``"),
        (line("10"), "t: line 1, column 65: expected an integer from 0 to 9, found `10`"),
        (line("3,4"), "t: line 1, column 66: expected the end of the line, found `4`"),
        (line("3\r"), r"t: line 1, column 65: expected an integer from 0 to 9, found `3\r`"),
        ("9".repeat(1000), "t: line 1, column 1: expected an integer from 0 to 16, found `99999999999999999999..`"),
        ("\u{1b}é".into(), r"t: line 1, column 1: expected an integer from 0 to 16, found `\x1b\xc3\xa9`"),
    ];
    for (table, expected) in cases {
        assert_eq!(message(parse(&table), expected), expected);
    }
}

#[test]
fn a_table_cut_anywhere_in_a_line_is_an_error() {
    let table = line("3") + &line("9");
    for length in 0..table.len() {
        let complete = length + 1 == line("3").len() || length == line("3").len() || length + 1 == table.len();
        assert_eq!(parse(&table[..length]).is_ok(), complete, "{length} bytes");
    }
}
