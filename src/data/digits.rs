//! The 1,797 handwritten digits that are part of the program: 8x8 pixels of value 0 to 16.

use super::{Dataset, Images, Normalisation, Source, file, numbered};
use crate::error::{Error, Result};
use flate2::bufread::GzDecoder;
use std::path::Path;

/// Whose work the digits are, as their licence asks to say wherever they are used.
///
/// E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
/// <https://doi.org/10.24432/C50P49>, [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/). The file is that
/// data set's test part, unchanged but for its packing; `digits.LICENSE.md` beside it says the same.
pub const ATTRIBUTION: &str = "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, \
                               UCI Machine Learning Repository, 1998, doi:10.24432/C50P49, CC BY 4.0";

/// `[c,h,w]` of a digit.
pub const SHAPE: [usize; 3] = [1, 8, 8];
/// The largest pixel value: a pixel counts the ink in a 4x4 block of the scanned bitmap.
pub const MAX_PIXEL: u8 = 16;
/// Mean and standard deviation of `pixel / 16` over the training split, to four digits; the test
/// `data::digits::normalisation_is_that_of_the_training_split` recomputes them.
pub const MEAN_AND_STD: (f64, f64) = (0.3051, 0.3762);

/// The gzipped table: a line per digit, 64 pixels row by row and the label, comma-separated.
const TABLE: &[u8] = include_bytes!("digits.csv.gz");
/// Stands for a path in messages.
const TABLE_NAME: &str = "digits.csv.gz (embedded)";
const PIXELS: usize = SHAPE[0] * SHAPE[1] * SHAPE[2];
const CLASSES: usize = 10;

/// The digits, split 1,442 to 355 for training and test (see [`split`]).
///
/// # Errors
/// None with the table as it is embedded; those of [`parse`] otherwise.
pub fn load() -> Result<Dataset> {
    let path = Path::new(TABLE_NAME);
    let mut table = Vec::new();
    file::read_at_most(GzDecoder::new(TABLE), file::MAX_BYTES, &mut table).map_err(Error::io(path, "unpack"))?;
    let (train, test) = split(&parse(path, &table)?);
    Ok(Dataset {
        name: Source::Digits.name(),
        train,
        test,
        classes: numbered(CLASSES),
        normalisation: Normalisation {
            scale: f64::from(MAX_PIXEL),
            mean: vec![MEAN_AND_STD.0],
            std: vec![MEAN_AND_STD.1],
        },
        augmentation: None,
    })
}

/// (train, test): every fifth sample of each class, in the table's order, is a test sample.
///
/// Stratified, so that both parts hold every class in the same proportion, and fixed, so that results are
/// comparable. Of n samples of a class, floor(n / 5) are for testing: 35, 36, 35, 36, 36, 36, 36, 35, 34 and 36
/// for the digits 0 to 9, 355 in all, which leaves 1,442 for training.
///
/// # Panics
/// If a label is above 9.
#[must_use]
pub fn split(samples: &Images) -> (Images, Images) {
    let mut seen = [0_usize; CLASSES];
    let (test, train): (Vec<usize>, Vec<usize>) = (0..samples.len()).partition(|&i| {
        let count = &mut seen[usize::from(samples.labels[i])];
        *count += 1;
        *count % 5 == 0
    });
    (samples.select(&train), samples.select(&test))
}

/// The digits of a table: lines of 65 comma-separated decimal integers, 64 pixels (0 to 16) and the label (0 to
/// 9), without signs, spaces or leading zeros, each line ended by a line feed (the last need not be). `path` is
/// for messages only.
///
/// # Errors
/// [`Error::File`] with the line and column (both from 1) of the first entry that is not so.
pub fn parse(path: &Path, table: &[u8]) -> Result<Images> {
    let mut digits = Images { shape: SHAPE, pixels: Vec::new(), labels: Vec::new() };
    let table = table.strip_suffix(b"\n").unwrap_or(table);
    for (line, entries) in table.split(|&byte| byte == b'\n').enumerate() {
        let mut columns = 0;
        for (column, entry) in entries.split(|&byte| byte == b',').enumerate() {
            let place = || format!("line {}, column {}", line + 1, column + 1);
            let max = match column {
                0..PIXELS => MAX_PIXEL,
                PIXELS => (CLASSES - 1) as u8,
                _ => return Err(Error::file(path, place(), "the end of the line", excerpt(entry))),
            };
            let value = decimal(entry)
                .filter(|&value| value <= max)
                .ok_or_else(|| Error::file(path, place(), format!("an integer from 0 to {max}"), excerpt(entry)))?;
            if column < PIXELS {
                digits.pixels.push(value);
            } else {
                digits.labels.push(value.into());
            }
            columns += 1;
        }
        if columns <= PIXELS {
            return Err(Error::file(path, format!("line {}", line + 1), format!("{} columns", PIXELS + 1), columns));
        }
    }
    Ok(digits)
}

/// The value of a decimal integer below 100 as one would write it.
fn decimal(entry: &[u8]) -> Option<u8> {
    match *entry {
        [ones @ b'0'..=b'9'] => Some(ones - b'0'),
        [tens @ b'1'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + (ones - b'0')),
        _ => None,
    }
}

/// An entry as one short printable word for a message.
fn excerpt(entry: &[u8]) -> String {
    const LONGEST: usize = 20;
    let ellipsis = if entry.len() > LONGEST { ".." } else { "" };
    format!("`{}{ellipsis}`", entry[..entry.len().min(LONGEST)].escape_ascii())
}
