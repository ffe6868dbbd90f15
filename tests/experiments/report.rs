//! Exhibits shown: in 80 columns, as CSV, JSON and SVG, and on a page. What the command does with a store is in `pages`.

use gdstar::experiment::exhibit::*;
use gdstar::report::exhibit::{Shown, chart_csv, json, overall, svg, table_csv, text};
use gdstar::report::{files, page};
use std::process::Command;

fn sample(seed: u64, value: f64, run: &str) -> Sample {
    Sample { seed, value, hash: format!("{run}{seed:015}") }
}

/// Five seeds around a value.
fn samples(value: f64, run: &str) -> Vec<Sample> {
    let off = [0.02, -0.11, 0.08, 0.05, -0.04];
    off.iter().enumerate().map(|(seed, off)| sample(seed as u64, value + off, run)).collect()
}

fn paper(value: f64) -> Option<Reported> {
    Some(Reported { value, place: "Table 2".to_string() })
}

fn table() -> Table {
    let accuracy = |name: &str| Column::new(name).in_unit("%", 2).better(Better::Higher);
    let columns = vec![
        Column::new("parameters"),
        accuracy("dense"),
        accuracy("GDSTAR"),
        accuracy("GDSTAR less dense"),
        Column::new("time").in_unit("s", 1).better(Better::Lower),
        Column::new("remark"),
    ];
    let mut table = Table::new("accuracy", "Accuracy with and without <rewinding>", columns);
    let networks =
        [("lenet300", 266_610.0, 98.56, 98.29), ("lenet", 61_706.0, 73.31, 75.2), ("resnet18", 1.1e7, 95.1, 94.2)];
    for (place, (name, parameters, dense, sparse)) in networks.into_iter().enumerate() {
        let (own, rewound) =
            (samples(dense - 0.9, ["a", "c", "d"][place]), samples(sparse + 0.001, ["b", "e", "f"][place]));
        let few = samples(12.5 * (place + 1) as f64, "a")[..3].to_vec();
        table.push(
            name,
            vec![
                Cell::Number(parameters),
                Cell::measured(own.clone(), paper(dense)),
                Cell::measured(rewound.clone(), paper(sparse)),
                Cell::difference(rewound, own),
                Cell::measured(few, paper(40.0)),
                if place == 1 { Cell::Text("two \"quotes\" & more".to_string()) } else { Cell::Empty },
            ],
        );
    }
    table.push(
        "vgg16",
        vec![Cell::Empty, Cell::measured(vec![], paper(93.1)), Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty],
    );
    table
}

fn curve(name: &str, mark: Mark, origin: Origin, of: impl Fn(f64) -> f64) -> Series {
    let points = (0..60).map(f64::from).map(|x| {
        let y = of(x);
        let ends = (origin == Origin::Ours && mark == Mark::Line).then_some((0.95 * y, 1.05 * y));
        Point { x, y, low: ends.map(|(low, _)| low), high: ends.map(|(_, high)| high) }
    });
    Series { name: name.to_string(), mark, points: points.collect(), origin, runs: vec![sample(0, 0.0, "a").hash] }
}

fn charts() -> Vec<Chart> {
    let networks = ["lenet300", "lenet", "vgg16", "vgg19bn", "resnet18", "resnet34", "mobilenetv2", "densenetc"];
    let names: Vec<String> = networks.map(str::to_string).to_vec();
    let bars = |name: &str, origin, by: f64| Series {
        name: name.to_string(),
        mark: Mark::Bars,
        points: (0..names.len())
            .map(|i| {
                let y = by * (1.0 + i as f64);
                Point { x: i as f64, y, low: (origin == Origin::Ours).then_some(0.9 * y), high: Some(1.1 * y) }
            })
            .collect(),
        origin,
        runs: Vec::new(),
    };
    let histogram =
        (0..30).map(|i| Point::new(0.1 * f64::from(i), (f64::from(i) - 11.0).mul_add(-f64::from(i), 500.0)));
    let scatter = |name: &str, by: f64| Series {
        name: name.to_string(),
        mark: Mark::Points,
        points: (1..8)
            .map(|i| {
                let y = by + 0.4 * f64::from(i);
                Point { x: libm::exp10(f64::from(-i)), y, low: Some(y - 0.3), high: Some(y + 0.2) }
            })
            .collect(),
        ..Series::default()
    };
    let chart = |name: &str, title: &str, x: Axis, y: Axis, series: Vec<Series>| Chart {
        name: name.to_string(),
        title: title.to_string(),
        x,
        y,
        series,
        alt: format!("{title}, drawn for a test."),
    };
    let falling = |by: f64| move |x: f64| by * libm::exp(-0.08 * x) + 0.01;
    vec![
        chart(
            "curves",
            "S_F over epochs, dense and under GDSTAR",
            Axis::linear("epoch k"),
            Axis::logarithmic("S_F"),
            vec![
                curve("dense", Mark::Line, Origin::Ours, falling(3.0)),
                curve("GDSTAR", Mark::Line, Origin::Ours, falling(1.0)),
                curve("GDSTAR", Mark::Line, Origin::Paper, falling(0.8)),
                curve("k*", Mark::Steps, Origin::Ours, |x| 0.02 + (x / 9.0).floor() * 0.03),
            ],
        ),
        chart(
            "times",
            "Time by network",
            Axis::named("", names.clone()),
            Axis::linear("time").in_unit("s"),
            vec![
                bars("dense", Origin::Ours, 3.0),
                bars("GDSTAR", Origin::Ours, 2.0),
                bars("GDSTAR", Origin::Paper, 2.4),
            ],
        ),
        chart(
            "histogram",
            "G at the last epoch",
            Axis::linear("G"),
            Axis::linear("weights"),
            vec![Series { name: "G".to_string(), mark: Mark::Bars, points: histogram.collect(), ..Series::default() }],
        ),
        chart(
            "eps",
            "Accuracy by eps",
            Axis::logarithmic("eps"),
            Axis::linear("test accuracy").in_unit("%"),
            vec![
                scatter("lambda = 0.9", 93.0),
                scatter("lambda = 0.99", 94.0),
                Series { origin: Origin::Paper, ..scatter("lambda = 0.9", 92.0) },
            ],
        ),
        chart(
            "many",
            "Many series",
            Axis::linear("epoch k"),
            Axis::linear("loss"),
            (0..11)
                .map(|i| {
                    curve(&format!("network number {i}"), Mark::Line, Origin::Ours, move |x| {
                        (i as f64 + 1.0) * libm::exp(-0.05 * x)
                    })
                })
                .collect(),
        ),
        chart("empty", "Nothing yet", Axis::linear("epoch k"), Axis::linear("loss"), vec![Series::default()]),
    ]
}

fn exhibit() -> Exhibit {
    let run = |run: &str, seed: u64| RunRef {
        hash: sample(seed, 0.0, run).hash,
        name: format!("lenet300 on mnist, {run}, seed {seed}"),
        command: ["gdstar", "train", "--data-dir", "my data", "--method", run, "--seed", &seed.to_string()]
            .map(str::to_string)
            .to_vec(),
        reading: vec!["quantile = linear".to_string()],
    };
    Exhibit {
        target: "table2".to_string(),
        title: "Dense, reset to W_0 and rewound to W_k*".to_string(),
        question: "Does it keep more of the accuracy <b>than</b> resetting?".to_string(),
        equations: (1..=11).collect(),
        tables: vec![table()],
        charts: charts(),
        departures: vec!["5 seeds; the paper does not say how many it took.".to_string()],
        notes: vec!["</script><script>alert(1)</script> is shown, not run.".to_string()],
        runs: ["a", "b", "c", "d", "e", "f"].iter().flat_map(|name| (0..5).map(move |seed| run(name, seed))).collect(),
    }
}

#[test]
fn no_line_for_a_terminal_is_wider_than_80_columns() {
    let text = text(&exhibit());
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for word in ["97.66 ± 0.08*", "98.56", "paper", "too few", "vgg16", "interquartile mean", "Not as in the paper"] {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}

#[test]
fn a_cell_is_marked_only_where_the_intervals_leave_the_paper_out() {
    let marked = |value: f64, reported: f64| {
        let cell = Cell::measured(samples(value, "a"), paper(reported));
        Shown::of(&cell).is_some_and(|shown| shown.differs())
    };
    assert!(marked(97.0, 98.0) && marked(98.0, 97.0));
    assert!(!marked(97.0, 97.0));
    let few = Cell::measured(samples(97.0, "a")[..3].to_vec(), paper(50.0));
    assert!(!Shown::of(&few).unwrap().differs() && Shown::of(&few).unwrap().too_few());
    assert_eq!(Cell::measured(vec![], None), Cell::Empty);
}

#[test]
fn differences_over_all_rows_are_of_columns_that_have_a_common_size() {
    let table = table();
    let columns: Vec<(usize, bool)> = overall(&table).iter().map(|over| (over.column, over.from_paper)).collect();
    assert_eq!(columns, [(1, true), (2, true), (3, false)], "not the seconds");
    let words = overall(&table)[2].words(&table);
    // Two settings less the same baseline are not independent.
    let cell = || Cell::difference(samples(1.0, "b"), samples(0.5, "a"));
    let mut settings = Table::new("t", "t", vec![Column::new("less the baseline").in_unit("%", 2)]);
    settings.push("one", vec![cell()]);
    settings.push("other", vec![Cell::difference(samples(2.0, "c"), samples(0.5, "a"))]);
    assert_eq!(overall(&settings), []);
    // 98.291 - 97.66, 75.201 - 72.41 and 94.201 - 94.2, five times each: of 15 values 3 are cut at either end, and
    // (5 * 0.631 + 2 * 2.791 + 2 * 0.001) / 9 = 0.971.
    assert!(words.contains("over 3 rows and 15 runs: interquartile mean +0.97 %"), "{words}");
}

#[test]
fn csv_has_a_record_a_number_with_its_run_or_its_place() {
    let csv = table_csv(&table()).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "row,column,unit,origin,seed,value,source");
    assert!(lines.contains(&"lenet300,dense,%,paper,,98.56,Table 2"));
    assert!(lines.contains(&"lenet300,dense,%,ours,1,97.55,a000000000000001"));
    assert!(lines.contains(&"lenet,remark,,,,\"two \"\"quotes\"\" & more\","));
    let of_chart = chart_csv(&charts()[1]).unwrap();
    assert!(of_chart.starts_with("series,origin,x,time (s),low,high\ndense,ours,lenet300,3,2.7,3.3"), "{of_chart}");
}

#[test]
fn json_is_the_exhibit_and_what_its_cells_come_to() {
    let exhibit = exhibit();
    let value = json(&exhibit).unwrap();
    let cell = &value["tables"][0]["rows"][0]["cells"][1]["measured"];
    assert_eq!(cell["statistics"]["count"], 5);
    assert_eq!(cell["statistics"]["difference"]["verdict"], "lower");
    assert_eq!(serde_json::from_value::<Exhibit>(value).unwrap(), exhibit, "it reads as an exhibit");
}

#[test]
fn a_figure_is_well_formed_and_tells_itself_in_words() {
    for chart in charts() {
        let svg = svg(&chart);
        let opened = svg.matches('<').count() - 2 * svg.matches("</").count();
        assert_eq!(opened, 0, "every element of {} is closed", chart.name);
        assert!(svg.contains("role=\"img\"") && svg.contains("drawn for a test."), "{}", chart.name);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", chart.name);
    }
    let curves = svg(&charts()[0]);
    assert!(curves.contains("stroke-dasharray"), "the paper's line is dashed");
    assert!(curves.contains("GDSTAR (paper)"));
}

#[test]
fn a_figure_with_a_hundred_thousand_points_stays_small() {
    let points = (0..100_000).map(f64::from).map(|x| Point::new(x, libm::sin(x)));
    let series = Series { name: "steps".to_string(), points: points.collect(), ..Series::default() };
    let svg = svg(&Chart { series: vec![series], ..Chart::default() });
    assert!(svg.len() < 40_000, "{} bytes", svg.len());
}

#[test]
fn what_an_axis_cannot_show_leaves_a_gap() {
    let points = [1.0, f64::NAN, 10.0, 0.0, 100.0].iter().enumerate().map(|(x, &y)| Point::new(x as f64, y));
    let series = Series { name: "a".to_string(), points: points.collect(), ..Series::default() };
    let svg = svg(&Chart { series: vec![series], y: Axis::logarithmic("y"), ..Chart::default() });
    assert!(!svg.contains("NaN"), "{svg}");
    assert_eq!(svg.matches("<circle").count(), 3, "three points, each by itself");
}

#[test]
fn a_page_is_whole_and_shows_what_it_is_given_as_words() {
    let page = page(&[exhibit()]).unwrap();
    assert!(page.len() <= 1_000_000, "{} bytes", page.len());
    for outside in ["src=", "http://", "https://", "@import", "url("] {
        let mut rest = page.replace("http://www.w3.org/2000/svg", "");
        rest = rest.replace("http://www.w3.org/1998/Math/MathML", "");
        assert!(!rest.contains(outside), "{outside} in the page");
    }
    assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;alert(1)"));
    assert_eq!(page.matches("<math").count(), 11, "every equation is MathML");
    assert!(page.contains("id=\"run-a000000000000001\"") && page.contains("href=\"#run-a000000000000001\""));
    assert!(page.contains("gdstar train --data-dir 'my data' --method a</code>"), "a command is as it is typed");
    assert_eq!(page.matches("class=\"run\"").count(), 6, "seeds stand together");
    assert!(page.contains("data:text/csv;charset=utf-8,row,column"));
}

#[test]
fn a_page_goes_without_data_before_it_is_too_large() {
    let points = (0..4_000).map(|x| Point::new(f64::from(x), 1.0 / (1.0 + f64::from(x))));
    let series = Series { name: "steps".to_string(), points: points.collect(), ..Series::default() };
    let large = |name: usize| Chart { name: format!("c{name}"), series: vec![series.clone()], ..Chart::default() };
    let exhibit = Exhibit { charts: (0..10).map(large).collect(), ..exhibit() };
    let page = page(&[exhibit]).unwrap();
    assert!(page.len() <= 1_000_000, "{} bytes", page.len());
    assert!(!page.contains("data:application/json") && page.contains("--files"), "it says where all data are");
    assert!(page.contains("data:text/csv;charset=utf-8,row,column"), "tables keep theirs");
}

#[test]
fn files_are_named_by_target_and_part() {
    let all = files(&[exhibit(), exhibit()]).unwrap();
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["table2.json", "table2-accuracy.csv", "table2-curves.svg", "table2-curves.csv", "table2-2.json"] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), names.len());
}

/// At 1280 and 400 pixels, light and dark: see the script.
#[test]
#[ignore = "needs python3 with playwright, and Chromium"]
fn a_browser_finds_nothing_wrong_with_a_page() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("report.html");
    let other = Exhibit { target: "fig3".to_string(), ..exhibit() };
    std::fs::write(&file, page(&[exhibit(), Exhibit { charts: charts()[..1].to_vec(), ..other }]).unwrap()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/experiments/report/browser.py");
    let run = Command::new("python3").arg(script).arg(&file).output().unwrap();
    let told = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(0), "{told}");
}
