//! [`Grid`]: rows of cells as text, in markdown that reads as well in a terminal.

use textwrap::Options;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cells {
    /// Set flush left.
    Words,
    /// Set flush right.
    Numbers,
}

/// Rows below their heads. The first column has words: what a row is called.
#[derive(Debug, Clone, Default)]
pub(super) struct Grid {
    columns: Vec<(String, Cells)>,
    rows: Vec<Vec<String>>,
}

/// Where the cells of a row are put.
struct Layout {
    /// The columns that stand side by side, and how wide each is; the words of the others stand below.
    beside: Vec<(usize, usize)>,
    /// Of the whole.
    columns: usize,
}

/// The first column is not made narrower than this.
const NARROWEST: usize = 12;

impl Grid {
    pub(super) fn new(columns: Vec<(String, Cells)>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// A row, of as many cells as there are columns. A rule within a cell is none of the table's.
    pub(super) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row.into_iter().map(|cell| cell.replace('|', "\\|")).collect());
    }

    /// A markdown table, its cells padded to their column's width.
    pub(super) fn markdown(&self) -> String {
        let beside = self.widths().into_iter().enumerate().collect();
        self.text(&Layout { beside, columns: usize::MAX })
    }

    /// The same for a terminal of so many columns. Where it does not fit, words leave the row, the last first, for a line
    /// below it; then what a row is called is broken into lines. Numbers stay in their columns.
    pub(super) fn fitted(&self, columns: usize) -> String {
        let mut beside: Vec<(usize, usize)> = self.widths().into_iter().enumerate().collect();
        // A cell has a blank on either side and a rule after it; the first has a rule before it.
        let excess = |beside: &[(usize, usize)]| {
            (beside.iter().map(|(_, width)| width + 3).sum::<usize>() + 1).saturating_sub(columns)
        };
        while excess(&beside) > 0
            && let Some(last) = beside.iter().rposition(|&(i, _)| i > 0 && self.columns[i].1 == Cells::Words)
        {
            beside.remove(last);
        }
        let over = excess(&beside);
        if let Some((_, name)) = beside.first_mut() {
            *name = name.saturating_sub(over).max(NARROWEST.min(*name));
        }
        self.text(&Layout { beside, columns })
    }

    fn widths(&self) -> Vec<usize> {
        let longest = |i: usize| self.rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
        self.columns.iter().enumerate().map(|(i, (head, _))| longest(i).max(head.chars().count())).collect()
    }

    fn text(&self, layout: &Layout) -> String {
        let heads: Vec<String> = self.columns.iter().map(|(head, _)| head.clone()).collect();
        let rules = layout.beside.iter().map(|&(i, width)| {
            let (rule, end) = ("-".repeat(width), if self.columns[i].1 == Cells::Numbers { ':' } else { '-' });
            format!("-{rule}{end}|")
        });
        let rule = format!("|{}\n", rules.collect::<String>());
        let mut text = self.row(&heads, layout) + &rule;
        text.extend(self.rows.iter().map(|row| self.row(row, layout)));
        text
    }

    /// A row, as many lines high as its highest cell, and a line of the words that do not stand in it.
    fn row(&self, cells: &[String], layout: &Layout) -> String {
        let broken = |&(i, width): &(usize, usize)| -> Vec<String> {
            textwrap::wrap(&cells[i], width.max(1)).into_iter().map(|line| line.into_owned()).collect()
        };
        let beside: Vec<Vec<String>> = layout.beside.iter().map(broken).collect();
        let height = beside.iter().map(Vec::len).max().unwrap_or(1);
        let mut text = String::new();
        for line in 0..height {
            text.push('|');
            for (cell, &(i, width)) in beside.iter().zip(&layout.beside) {
                let part = cell.get(line).map_or("", String::as_str);
                text += &match self.columns[i].1 {
                    Cells::Numbers => format!(" {part:>width$} |"),
                    Cells::Words => format!(" {part:<width$} |"),
                };
            }
            text.push('\n');
        }
        let is_beside = |i: usize| layout.beside.iter().any(|&(j, _)| i == j);
        let below = cells.iter().enumerate().filter(|(i, cell)| !is_beside(*i) && !cell.is_empty());
        let below: Vec<&str> = below.map(|(_, cell)| cell.as_str()).collect();
        if !below.is_empty() {
            let options = Options::new(layout.columns).initial_indent("    ").subsequent_indent("    ");
            text += &(textwrap::fill(&below.join(", "), options) + "\n");
        }
        text
    }
}
