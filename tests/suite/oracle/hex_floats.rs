//! Numbers of a trace's header that are written so that every bit counts.

use gdstar::trace::hex_float;

#[test]
fn hex_floats_are_read_to_the_last_bit() {
    for (text, value) in [
        ("0x1.8p-1", 0.75),
        ("-0x1p3", -8.0),
        ("0x.8p0", 0.5),
        ("0xA", 10.0),
        ("0x1.fffffffffffffp+1023", f64::MAX),
        ("0x0.0000000000001p-1022", f64::from_bits(1)),
        ("0x1p-1074", f64::from_bits(1)),
        ("0x1.e666666666666p-1", 0.95),
        ("0x0p+0", 0.0),
    ] {
        assert_eq!(hex_float(text), Some(value), "{text}");
    }
    for text in ["", "0x", "0xp1", "1.5", "0x1.8p", "0x1.8p1.5", "0x1p2000", "0x1.00000000000001p0", "0xg"] {
        assert_eq!(hex_float(text), None, "{text}");
    }
}
