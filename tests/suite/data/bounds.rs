//! Every tolerance of these tests, with its derivation.

/// Half a unit in the fourth decimal: the constants are rounded to four, so the value they stand for is no further
/// away. Sums of pixels and of their squares are exact integers, and the four operations after them are off by
/// less than 1e-15.
pub const FOUR_DECIMALS: f64 = 0.5e-4;

/// One grey level. The constants are those of the original images; a copy made from re-encoded JPEGs may stand in
/// for them, in which a flat area is within a level of the original (its mean is coded, and rounded to whole
/// levels) while fine detail is lost. The difference measured on such a copy is 1.5e-4 in the means and 1.8e-3 in
/// the deviations, 0.04 and 0.46 levels. Exchanged channels are caught: their means are 2.3 levels and more apart.
pub const GREY_LEVEL: f64 = 1.0 / 255.0;

/// How far the count of an event may be from 1000 expected occurrences: six standard deviations. A binomial count of
/// mean 1000 has a deviation below sqrt(1000) = 31.7; six of them are exceeded with probability 2e-9, and seeds are
/// fixed.
pub const SIX_DEVIATIONS_OF_1000: u32 = 190;

/// How far two accurate JPEG decoders may be apart. Each rounds a sample's exact value once, so samples differ by a level;
/// chroma that is interpolated is rounded once more, so it differs by two. The largest sum of factors is that of blue, 1
/// of luma and 1.772 of chroma, and each rounds the sum: 1 + 2 * 1.772 + 1 = 5.54, in whole levels. (Grey has 1, and
/// inks, whose product is rounded, 1 + 1 + 1.)
pub const DECODER_LEVELS: u8 = 5;

/// How far a plain colour may be off after JPEG at the encoder's quality of 75: the brightness and the two colour
/// differences of a block are multiples of their first quantisers over 8, which are 8/8 and 9/8, so each is within 9/16
/// of its value, and within 1/2 more for being rounded to a byte before and after. Back to red, green and blue, the
/// largest sum of factors is 1 + 1.772 (blue): at most 2.772 (9/16 + 1) = 4.33 and 1/2 for the last rounding.
pub const JPEG_LEVELS: u8 = 4;
