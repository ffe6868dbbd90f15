//! [`text`]: an exhibit for a terminal of usual width.

use super::Shown;
use super::data::heads;
use super::shown::{number, overall};
use crate::experiment::exhibit::{Cell, Column, Exhibit, Table};
use crate::report::grid::{Cells, Grid};
use crate::report::{WIDTH, wrapped};

/// The exhibit in at most 80 columns: title and question, every table with ours over the paper's, what differs from the
/// paper, notes, and where its charts are to be seen. A table that is wider is broken into parts below each other.
pub fn text(exhibit: &Exhibit) -> String {
    let mut parts = vec![wrapped(&format!("{}: {}", exhibit.target, exhibit.title))];
    if !exhibit.question.is_empty() {
        parts.push(wrapped(&exhibit.question));
    }
    parts.extend(exhibit.tables.iter().map(table));
    if !exhibit.charts.is_empty() {
        let titles: Vec<&str> = exhibit.charts.iter().map(|chart| chart.title.as_str()).collect();
        parts.push(wrapped(&format!(
            "Drawn by `gdstar report {} --out report.html`: {}.",
            exhibit.target,
            titles.join("; ")
        )));
    }
    parts.extend(list("Not as in the paper:", &exhibit.departures));
    parts.extend(list("Notes:", &exhibit.notes));
    parts.join("\n\n") + "\n"
}

fn list(head: &str, sentences: &[String]) -> Option<String> {
    let lines = sentences.iter().map(|sentence| wrapped(&format!("- {sentence}")));
    (!sentences.is_empty()).then(|| std::iter::once(head.to_string()).chain(lines).collect::<Vec<_>>().join("\n"))
}

fn table(table: &Table) -> String {
    let heads = heads(table);
    let rows: Vec<[Vec<String>; 2]> = table.rows.iter().map(|row| lines(&row.cells, &table.columns)).collect();
    let width = |column: usize| {
        let cells = rows.iter().flatten().filter_map(|line| line.get(column));
        cells.chain(heads.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widest = |labels: &mut dyn Iterator<Item = usize>| labels.max().unwrap_or(0).clamp(5, WIDTH / 3);
    let first = widest(&mut table.rows.iter().map(|row| row.label.chars().count()));
    // A cell has a blank on either side and a rule after it; the first has a rule before it.
    let mut blocks: Vec<Vec<usize>> = vec![Vec::new()];
    let mut room = WIDTH.saturating_sub(first + 4);
    for column in 0..table.columns.len() {
        let takes = width(column) + 3;
        if takes > room && blocks.last().is_some_and(|block| !block.is_empty()) {
            blocks.push(Vec::new());
            room = WIDTH.saturating_sub(first + 4);
        }
        room = room.saturating_sub(takes);
        if let Some(block) = blocks.last_mut() {
            block.push(column);
        }
    }
    let (mut parts, mut tables) = (vec![wrapped(&table.title)], Vec::new());
    for block in blocks.iter().filter(|block| !block.is_empty()) {
        let kind = |column: usize| {
            let words = |cell: &Cell| matches!(cell, Cell::Text(_) | Cell::Empty);
            let all = table.rows.iter().filter_map(|row| row.cells.get(column)).all(words);
            if all { Cells::Words } else { Cells::Numbers }
        };
        let columns = block.iter().map(|&column| (heads[column].clone(), kind(column)));
        let mut grid = Grid::new(std::iter::once((String::new(), Cells::Words)).chain(columns).collect());
        for (row, [ours, paper]) in table.rows.iter().zip(&rows) {
            let cells = |label: &str, line: &[String]| {
                let cells = block.iter().map(|&column| line.get(column).cloned().unwrap_or_default());
                std::iter::once(label.to_string()).chain(cells).collect::<Vec<_>>()
            };
            grid.push(cells(&row.label, ours));
            if block.iter().any(|&column| paper.get(column).is_some_and(|cell| !cell.is_empty())) {
                grid.push(cells("  paper", paper));
            }
        }
        tables.push(grid.fitted(WIDTH).trim_end().to_string());
    }
    parts.push(tables.join("\n\n"));
    parts.extend(legend(table));
    parts.extend(overall(table).iter().map(|overall| wrapped(&overall.words(table))));
    parts.join("\n")
}

/// A row's cells: ours, and below them the paper's.
fn lines(cells: &[Cell], columns: &[Column]) -> [Vec<String>; 2] {
    let ours = |(cell, column): (&Cell, &Column)| match cell {
        Cell::Empty => "-".to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Number(value) => number(*value, column.decimals, false),
        Cell::Measured(_) | Cell::Difference(_) => Shown::of(cell).map_or_else(String::new, |shown| {
            let mark = if shown.differs() { "*" } else { "" };
            let words = [shown.mean(column), shown.deviation(column)].join(" ");
            if shown.count == 0 { "-".to_string() } else { format!("{}{mark}", words.trim_end()) }
        }),
    };
    let paper =
        |(cell, column): (&Cell, &Column)| Shown::of(cell).map_or_else(String::new, |shown| shown.paper(column));
    [cells.iter().zip(columns).map(ours).collect(), cells.iter().zip(columns).map(paper).collect()]
}

/// What ± and * are, and that seeds are few.
fn legend(table: &Table) -> Option<String> {
    let cells = table.rows.iter().flat_map(|row| &row.cells);
    let shown: Vec<Shown> = cells.filter_map(Shown::of).filter(|shown| shown.count > 0).collect();
    let counts = || shown.iter().map(|shown| shown.count);
    let (least, most) = (counts().min()?, counts().max()?);
    let seeds = match (least, most) {
        (1, 1) => "One seed".to_string(),
        (least, most) if least == most => format!("Mean ± deviation over {most} seeds"),
        (least, most) => format!("Mean ± deviation over {least} to {most} seeds"),
    };
    let compared = |shown: &Shown| shown.comparison.is_some();
    let mut sentences = vec![seeds];
    if shown.iter().any(Shown::differs) {
        sentences.push("* a difference: the 95 % intervals leave the paper's number, or 0, out".to_string());
    }
    if shown.iter().any(|shown| compared(shown) && shown.too_few()) {
        sentences.push("three seeds or fewer are too few to call anything a difference".to_string());
    }
    Some(wrapped(&format!("{}.", sentences.join("; "))))
}
