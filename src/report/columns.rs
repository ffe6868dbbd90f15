//! [`columns`]: a table as text, as narrow as its content.

/// A line for the header and one for each row: the first column to the left, the others to the right, a blank between
/// any two.
pub fn columns<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> String {
    let header = header.map(str::to_string);
    let lines = || [&header].into_iter().chain(rows);
    let widths: [usize; N] =
        std::array::from_fn(|i| lines().map(|line| line[i].chars().count()).max().unwrap_or_default());
    let mut text = String::new();
    for line in lines() {
        for (i, (cell, width)) in line.iter().zip(widths).enumerate() {
            text += &if i == 0 { format!("{cell:<width$}") } else { format!(" {cell:>width$}") };
        }
        text.push('\n');
    }
    text
}
