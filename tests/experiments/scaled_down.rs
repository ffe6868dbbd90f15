//! Every target is run, scaled down to an epoch or two on the digits, and what it then shows has its numbers.

use gdstar::data::{self, Source};
use gdstar::experiment::exhibit::{Cell, Exhibit};
use gdstar::experiment::reproduce::{TARGETS, Target};
use gdstar::experiment::{Bench, Scale, Store};
use std::sync::atomic::AtomicBool;

fn scale(target: &Target) -> Scale {
    // One epoch has too few steps for the phases of AC/DC.
    let epochs = if target.name == "methods" { 2 } else { 1 };
    Scale {
        models: vec!["lenet300".to_string()],
        seeds: 1,
        epochs: Some(epochs),
        data: Some(Source::Digits),
        ..Scale::default()
    }
}

/// All runs of a target, in this store.
fn run(target: &Target, store: &Store) {
    let stop = AtomicBool::new(false);
    for job in target.runs(&scale(target)).unwrap() {
        let config = job.config();
        let dataset = data::load_with(config.data, None, config.load_options()).unwrap();
        let bench = Bench { dataset: &dataset, stop: &stop, watch: &|_, _| Vec::new(), progress: &|_, _, _| {} };
        store.finish(&job, &bench).unwrap_or_else(|error| panic!("{}, {}: {error}", target.name, job.name));
    }
}

/// How many cells have a number of ours.
fn ours(exhibit: &Exhibit) -> usize {
    let cells = exhibit.tables.iter().flat_map(|table| &table.rows).flat_map(|row| &row.cells);
    let has = |cell: &&Cell| match cell {
        Cell::Measured(measured) => !measured.ours.is_empty(),
        Cell::Number(_) => true,
        Cell::Empty | Cell::Text(_) | Cell::Difference(_) => false,
    };
    cells.filter(has).count()
}

/// Whether all that is said to be a number is one.
fn is_finite(exhibit: &Exhibit) -> bool {
    let mut cells = exhibit.tables.iter().flat_map(|table| &table.rows).flat_map(|row| &row.cells);
    let of_cell = |cell: &Cell| match cell {
        Cell::Measured(measured) => measured.ours.iter().all(|sample| sample.value.is_finite()),
        Cell::Number(value) => value.is_finite(),
        Cell::Empty | Cell::Text(_) | Cell::Difference(_) => true,
    };
    let mut points = exhibit.charts.iter().flat_map(|chart| &chart.series).flat_map(|series| &series.points);
    cells.all(of_cell) && points.all(|point| (point.x + point.y).is_finite())
}

/// Targets with the network of this test alone: what others have of it is run here.
#[test]
fn every_target_that_can_be_asked_of_lenet300() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path()).unwrap();
    let mut left_out = Vec::new();
    for target in TARGETS {
        if target.runs(&scale(target)).is_err() {
            left_out.push(target.name);
            continue;
        }
        run(target, &store);
        let exhibit = target.show(&scale(target), &store).unwrap();
        assert_eq!(exhibit.runs.len(), target.runs(&scale(target)).unwrap().len(), "{}", target.name);
        assert!(ours(&exhibit) > 0, "{}", target.name);
        assert!(is_finite(&exhibit), "{}", target.name);
        let names: Vec<&String> = exhibit
            .tables
            .iter()
            .map(|table| &table.name)
            .chain(exhibit.charts.iter().map(|chart| &chart.name))
            .collect();
        let is_stem = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        for (i, name) in names.iter().enumerate() {
            assert!(
                is_stem(name) && !names[..i].contains(name),
                "{}: `{name}` names a file, and one alone",
                target.name
            );
        }
    }
    // ResNet50 alone.
    assert!(left_out.iter().all(|name| *name == "table3"), "{left_out:?}");
}

/// The paper's numbers stand where its settings are, and no others.
#[test]
fn figures_show_what_the_text_says_before_anything_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path()).unwrap();
    let said = |name: &str| {
        let target = TARGETS.iter().find(|target| target.name == name).unwrap();
        let exhibit = target.show(&Scale::default(), &store).unwrap();
        let rows = exhibit.tables.iter().flat_map(|table| table.rows.clone());
        let of = |cell: Cell| match cell {
            Cell::Measured(measured) => measured.paper.map(|paper| paper.value),
            _ => None,
        };
        let rows = rows.map(|row| (row.label, row.cells.into_iter().filter_map(of).collect::<Vec<f64>>()));
        rows.filter(|(_, said)| !said.is_empty()).collect::<Vec<_>>()
    };
    let rows = |rows: &[(&str, &[f64])]| -> Vec<(String, Vec<f64>)> {
        rows.iter().map(|(label, said)| (label.to_string(), said.to_vec())).collect()
    };
    assert_eq!(said("fig4"), rows(&[("alpha 0.55", &[64.11])]));
    assert_eq!(
        said("fig5"),
        rows(&[
            ("lambda 0.1", &[93.09, 97.02]),
            ("lambda 0.5", &[94.40, 94.82]),
            ("lambda 0.9", &[94.69, 93.13]),
            ("lambda 1", &[8.76]),
            // After epochs 4 and 12.
            ("lambda 0.1", &[96.5]),
            ("lambda 0.9", &[90.5]),
        ])
    );
    assert_eq!(
        said("fig8"),
        rows(&[("eps 1e-3", &[92.91, 98.72]), ("eps 1e-4", &[94.44, 96.11]), ("eps 1e-5", &[94.69, 93.13])])
    );
    let chunks =
        [("chunks 1", 94.69), ("chunks 4", 94.56), ("chunks 8", 94.50), ("chunks 16", 94.45), ("chunks 1024", 94.35)];
    assert_eq!(said("fig7"), chunks.map(|(label, value)| (label.to_string(), vec![value])));
    assert_eq!(said("table5").len(), 3);
    assert_eq!(said("table7").len(), 10);
    assert_eq!(said("table8").len(), 10);
}
