//! Predictions as files, and accuracy by class.

use gdstar::report::{ClassAccuracy, PredictionFormat, by_class, columns};
use gdstar::train::Prediction;

const SAID: [Prediction; 4] = [
    Prediction { label: 0, predicted: Some(0) },
    Prediction { label: 1, predicted: Some(0) },
    Prediction { label: 1, predicted: Some(1) },
    Prediction { label: 0, predicted: None },
];

fn written(format: PredictionFormat) -> String {
    let names = ["cat".to_string(), "dog, \"hot\"".to_string()];
    let mut file = Vec::new();
    format.write(&mut file, &SAID, &names).unwrap();
    String::from_utf8(file).unwrap()
}

/// RFC 4180: commas and quotes in a name are no new columns. A logit that is NaN predicts nothing.
#[test]
fn predictions_are_written_as_csv() {
    let hot = "\"dog, \"\"hot\"\"\"";
    let expected = format!(
        "sample,label,predicted,label_name,predicted_name\n0,0,0,cat,cat\n1,1,0,{hot},cat\n2,1,1,{hot},{hot}\n3,0,,cat,\n"
    );
    assert_eq!(written(PredictionFormat::Csv), expected);
}

#[test]
fn predictions_are_written_as_json_lines() {
    let told = written(PredictionFormat::JsonLines);
    let lines: Vec<serde_json::Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = serde_json::json!({
        "sample": 1, "label": 1, "predicted": 0, "label_name": "dog, \"hot\"", "predicted_name": "cat",
    });
    assert_eq!((lines.len(), &lines[1]), (4, &expected));
    assert!(lines[3]["predicted"].is_null() && lines[3]["predicted_name"].is_null());
}

/// A class without samples has no accuracy.
#[test]
fn classes_are_counted_one_by_one() {
    let expected = [(0, 2, 1), (1, 2, 1), (2, 0, 0)];
    let expected = expected.map(|(class, samples, correct)| ClassAccuracy { class, samples, correct });
    let rows = by_class(&SAID, 3);
    assert_eq!(rows, expected);
    assert_eq!(rows.iter().map(ClassAccuracy::accuracy).collect::<Vec<_>>(), [Some(0.5), Some(0.5), None]);
}

/// Characters are counted, not bytes.
#[test]
fn columns_are_as_narrow_as_their_content() {
    let rows = [["é".to_string(), "1,000".to_string()], ["long name".to_string(), "2".to_string()]];
    assert_eq!(columns(["name", "n"], &rows), "name          n\né         1,000\nlong name     2\n");
}
