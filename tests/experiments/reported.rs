//! The paper's numbers as data are what is printed, and the disagreements that are told of them are there.

use gdstar::experiment::reported::{
    CLAIMS, DISAGREEMENTS, PrintedTable, STATEMENTS, TABLE2, TABLE4, TABLE6, TABLE7, TABLE8, TABLES, stated,
};
use gdstar::nn::models;

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// What one column of a table is above another, downwards.
fn above(table: &PrintedTable, [this, that]: [&str; 2]) -> Vec<f64> {
    table.column(this).iter().zip(table.column(that)).map(|(this, that)| this - that).collect()
}

/// Every number to two decimals.
fn hundredths(numbers: &[f64]) -> Vec<i64> {
    numbers.iter().map(|number| (number * 100.0).round() as i64).collect()
}

#[test]
fn every_table_has_its_rows_and_every_row_its_columns() {
    let rows: Vec<(usize, usize)> = TABLES.iter().map(|table| (table.number, table.rows.len())).collect();
    assert_eq!(rows, [(2, 11), (3, 1), (4, 4), (5, 3), (6, 10), (7, 10), (8, 10)]);
    for table in TABLES {
        for row in table.rows {
            assert_eq!(row.values.len(), table.columns.len(), "{}, {}", table.place(), row.network);
            models::find(row.network).unwrap();
        }
    }
    for said in STATEMENTS {
        models::find(said.network).unwrap();
    }
    assert_eq!((STATEMENTS.len(), CLAIMS.len(), DISAGREEMENTS.len()), (28, 28, 17));
}

#[test]
fn numbers_are_as_printed() {
    let printed = [
        (2, "vgg19bn", "gdstar", 94.05),
        (2, "densenetc", "reset", 91.67),
        (3, "resnet50", "85%", 62.25),
        (4, "mobilenetv2", "random-rewind", 89.96),
        (5, "resnet20", "lth", 91.77),
        (6, "resnet34", "gdstar", 229.399),
        (7, "vgg16", "gdstar GPU", 854.89),
        (8, "shufflenetv2", "dense", 1059.18),
    ];
    for (number, network, column, value) in printed {
        let table = TABLES.iter().find(|table| table.number == number).unwrap();
        assert_eq!(table.value(network, column), Some(value), "{}, {network}, {column}", table.place());
    }
    assert_eq!(stated("Figure 8", "eps 1e-4", "sparsity").map(|said| said.value), Some(96.11));
    // At the end of the run, not at epoch 12.
    assert_eq!(stated("Figure 5", "lambda 0.9", "sparsity").map(|said| said.value), Some(93.13));
}

#[test]
fn what_the_text_says_of_the_tables_follows_from_them() {
    let gain = above(&TABLE2, ["gdstar", "reset"]);
    assert_eq!(hundredths(&[mean(&gain), gain.iter().copied().fold(0.0, f64::max)]), [72, 213]);
    assert_eq!(hundredths(&[mean(&TABLE2.column("sparsity"))]), [9364]);
    assert_eq!(hundredths(&above(&TABLE4, ["gdstar", "random-rewind"])), [47, 135, 159, 170]);
    assert_eq!(hundredths(&[mean(&TABLE6.column("overhead"))]), [253]);
    assert_eq!(hundredths(&[mean(&TABLE7.column("overhead CPU")), mean(&TABLE7.column("overhead GPU"))]), [2807, 2122]);
}

#[test]
fn the_average_drop_is_a_sum_over_ten_divided_by_eleven() {
    let drops: Vec<f64> =
        TABLE2.rows.iter().filter(|row| row.network != "lenet").map(|row| row.values[1] - row.values[3]).collect();
    let sum: f64 = drops.iter().sum();
    assert_eq!(hundredths(&[sum, sum / 10.0, sum / 11.0]), [1044, 104, 95]);
    assert!(sum / 11.0 < 0.95, "0.94 is the number cut off");
    assert_eq!(hundredths(&[mean(&above(&TABLE2, ["dense", "gdstar"]))]), [179]);
}

/// The networks whose printed overhead no numbers that round to the printed ones have.
fn unexplained(table: &PrintedTable, [dense, gdstar, overhead]: [&str; 3], last_digit: f64) -> Vec<&'static str> {
    let half = last_digit / 2.0;
    let outside = |network: &&str| {
        let value = |column| table.value(network, column).unwrap();
        let percent = |gdstar: f64, dense: f64| (gdstar / dense - 1.0) * 100.0;
        let least = percent(value(gdstar) - half, value(dense) + half);
        let most = percent(value(gdstar) + half, value(dense) - half);
        // The overhead's own last digit is a hundredth.
        !(least <= value(overhead) + 0.005 && value(overhead) - 0.005 <= most)
    };
    table.networks().filter(outside).collect()
}

#[test]
fn overheads_that_the_numbers_beside_them_do_not_give() {
    assert_eq!(unexplained(&TABLE6, ["dense", "gdstar", "overhead"], 0.001), ["lenet"]);
    for memory in ["CPU", "GPU"] {
        let columns = [format!("dense {memory}"), format!("gdstar {memory}"), format!("overhead {memory}")];
        let columns = [&*columns[0], &*columns[1], &*columns[2]];
        assert_eq!(unexplained(&TABLE7, columns, 0.01), [""; 0], "{memory}");
    }
    assert_eq!(
        unexplained(&TABLE8, ["dense", "gdstar", "overhead"], 0.01),
        ["lenet300", "vgg16", "vgg19bn", "inceptionv3", "resnet34", "shufflenetv2", "efficientnetb0", "mobilenetv2"]
    );
}

#[test]
fn memory_that_one_checkpoint_of_the_weights_is_not() {
    let megabytes = |network: &str| {
        let model = models::find(network).unwrap();
        model.network(model.input, model.classes).unwrap().summary::<f32>(1).unwrap().parameters as f64 * 4.0 / 1e6
    };
    let more =
        |network: &str| TABLE7.value(network, "gdstar GPU").unwrap() - TABLE7.value(network, "dense GPU").unwrap();
    assert_eq!(hundredths(&[more("inceptionv3"), more("vgg16")]), [1888, 41812]);
    assert_eq!((megabytes("inceptionv3").round(), megabytes("vgg16").round()), (87.0, 59.0));
}
