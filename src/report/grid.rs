//! [`Grid`]: rows of cells as text, in markdown that reads as well in a terminal.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cells {
    /// Set flush left; may be broken into lines.
    Words,
    /// Set flush right.
    Numbers,
}

/// Rows below their heads.
#[derive(Debug, Clone, Default)]
pub(super) struct Grid {
    columns: Vec<(String, Cells)>,
    rows: Vec<Vec<String>>,
}

/// A column of words is not made narrower than this.
const NARROWEST: usize = 12;

impl Grid {
    pub(super) fn new(columns: Vec<(String, Cells)>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// A row, of as many cells as there are columns.
    pub(super) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// A markdown table, its cells padded to their column's width.
    pub(super) fn markdown(&self) -> String {
        self.text(&self.widths())
    }

    /// The same for a terminal of so many columns: where words do not fit, their cells are broken into lines.
    pub(super) fn fitted(&self, columns: usize) -> String {
        let mut widths = self.widths();
        // A cell has a blank on either side and a rule after it; the first has a rule before it.
        let mut excess = (widths.iter().map(|width| width + 3).sum::<usize>() + 1).saturating_sub(columns);
        while excess > 0 {
            let words = (0..widths.len()).filter(|&i| self.columns[i].1 == Cells::Words && widths[i] > NARROWEST);
            let Some(widest) = words.max_by_key(|&i| widths[i]) else { break };
            let cut = excess.min(widths[widest] - NARROWEST);
            widths[widest] -= cut;
            excess -= cut;
        }
        self.text(&widths)
    }

    fn widths(&self) -> Vec<usize> {
        let longest = |i: usize| self.rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
        self.columns.iter().enumerate().map(|(i, (head, _))| longest(i).max(head.chars().count())).collect()
    }

    fn text(&self, widths: &[usize]) -> String {
        let heads: Vec<String> = self.columns.iter().map(|(head, _)| head.clone()).collect();
        let rules = self.columns.iter().zip(widths).map(|((_, cells), &width)| {
            let (rule, end) = ("-".repeat(width), if *cells == Cells::Numbers { ':' } else { '-' });
            format!("-{rule}{end}|")
        });
        let rule = format!("|{}\n", rules.collect::<String>());
        let mut text = self.row(&heads, widths) + &rule;
        text.extend(self.rows.iter().map(|row| self.row(row, widths)));
        text
    }

    /// A row, as many lines high as its highest cell.
    fn row(&self, cells: &[String], widths: &[usize]) -> String {
        let cells: Vec<Vec<String>> = cells.iter().zip(widths).map(|(cell, &width)| lines(cell, width)).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(1);
        let line = |i: usize| {
            let cells = cells.iter().zip(widths).zip(&self.columns).map(|((cell, &width), (_, kind))| {
                let part = cell.get(i).map_or("", String::as_str);
                match kind {
                    Cells::Numbers => format!(" {part:>width$} |"),
                    Cells::Words => format!(" {part:<width$} |"),
                }
            });
            format!("|{}\n", cells.collect::<String>())
        };
        (0..height).map(line).collect()
    }
}

fn lines(cell: &str, width: usize) -> Vec<String> {
    textwrap::wrap(cell, width.max(1)).into_iter().map(|line| line.into_owned()).collect()
}
