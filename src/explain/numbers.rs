//! How numbers are written.

/// A number in six digits, which tell any two of an explanation apart: plain where that is short, else with a power of ten.
pub fn number(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 || (1e-3..1e6).contains(&size) {
        let digits = if size < 1.0 { 6 } else { 5 - size.log10().floor().clamp(0.0, 5.0) as usize };
        let plain = format!("{x:.digits$}");
        return if plain.contains('.') { plain.trim_end_matches('0').trim_end_matches('.').to_string() } else { plain };
    }
    format!("{x:.5e}")
}

/// A count with its unit, `1 weight`, `2 weights`.
pub(super) fn count(n: usize, unit: &str) -> String {
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}

/// A share in percent.
pub fn percent(part: usize, whole: usize) -> String {
    format!("{:.2} %", 100.0 * part as f64 / whole.max(1) as f64)
}
