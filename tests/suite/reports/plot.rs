//! The figure, as the elements of its SVG.

use super::fixtures::{run, store};
use super::svg::{Element, elements};
use crate::cli::{assert_fails, gdstar, text};
use gdstar::method::Method::{Dense, Gdstar, Reset};
use gdstar::method::quantity::{Number, measured};
use gdstar::report::{Against, PlotOptions, Quantity, Seeds, plot};
use gdstar::train::StoredRun;

/// The first and second run's colours.
const FIRST: &str = "#0072B2";
const SECOND: &str = "#D55E00";

fn drawn(runs: &[StoredRun]) -> Vec<Element> {
    drawn_with(runs, &PlotOptions::default())
}

fn drawn_with(runs: &[StoredRun], options: &PlotOptions) -> Vec<Element> {
    elements(&plot(runs, options).unwrap()).unwrap()
}

fn against_sparsity() -> PlotOptions {
    PlotOptions { against: Against::Sparsity, ..PlotOptions::default() }
}

fn texts(figure: &[Element]) -> Vec<&str> {
    figure.iter().filter(|e| e.name == "text").map(|e| e.text.as_str()).collect()
}

fn lines<'a>(figure: &'a [Element], colour: &str) -> Vec<&'a Element> {
    figure.iter().filter(|e| e.name == "polyline" && e.get("stroke") == colour).collect()
}

fn dots<'a>(figure: &'a [Element], colour: &str, radius: &str) -> Vec<&'a Element> {
    figure.iter().filter(|e| e.name == "circle" && e.get("fill") == colour && e.get("r") == radius).collect()
}

/// A run whose S_F is these values.
fn with_norms(norms: &[Option<f64>]) -> StoredRun {
    let mut run = run(Gdstar, 0, norms.len(), 0.5, 0.5);
    run.config.hyper.epochs = norms.len();
    for (record, &norm) in run.records.iter_mut().zip(norms) {
        record.numbers = norm.map(|norm| ("frobenius", Number::Real(norm))).into_iter().collect();
    }
    run
}

/// Every run has its legend line and one curve a panel in its own colour; dense has no S_F, and none is drawn.
#[test]
fn every_series_is_drawn_and_named() {
    let mut other = run(Reset, 4, 1, 0.5, 0.5);
    other.config.hyper.lambda = 0.5;
    let figure = drawn(&[run(Gdstar, 3, 2, 0.5, 0.5), run(Dense, 3, 2, 0.75, 0.0), other]);
    let told = texts(&figure);
    for part in
        ["lenet300 on digits, 2 epochs", "gdstar, seed 3", "dense, seed 3", "reset, seed 4, lambda = 0.5, 1/2 epochs"]
    {
        assert!(told.contains(&part), "`{part}` is not in {told:?}");
    }
    for part in ["S_F", "test accuracy (%)", "sparsity (%)", "training loss", "epoch k", "dots: running minima of S_F"]
    {
        assert!(told.contains(&part), "`{part}` is not in {told:?}");
    }
    assert_eq!(lines(&figure, FIRST).len(), 1 + 4, "legend, four panels");
    assert_eq!(lines(&figure, SECOND).len(), 1 + 3, "legend, all panels but S_F's");
    // One epoch is a dot instead of a curve.
    assert_eq!((lines(&figure, "#009E73").len(), dots(&figure, "#009E73", "2").len()), (1, 4));
}

/// Fig. 3: a dot where S_F is below all before, not where it equals the minimum (Alg. 4's `<`), each on its curve.
#[test]
fn dots_are_the_running_minima() {
    let figure = drawn(&[with_norms(&[5.0, 7.0, 4.0, 4.0, 6.0, 1.0].map(Some))]);
    let curve: Vec<&str> = lines(&figure, FIRST)[1].get("points").split_whitespace().collect();
    let minima = dots(&figure, FIRST, "3");
    let places: Vec<String> = minima.iter().map(|dot| format!("{},{}", dot.get("cx"), dot.get("cy"))).collect();
    assert_eq!(curve.len(), 6);
    assert_eq!(places, [curve[0], curve[2], curve[5]]);
}

/// Values go to the place their number says: equal steps of S_F are equal steps of pixels, larger is higher.
#[test]
fn a_curve_is_to_scale() {
    let figure = drawn(&[with_norms(&[0.0, 10.0, 20.0].map(Some))]);
    let points: Vec<Vec<i32>> = lines(&figure, FIRST)[1]
        .get("points")
        .split_whitespace()
        .map(|point| point.split(',').map(|x| x.parse().unwrap()).collect())
        .collect();
    let step = |i: usize, axis: usize| points[i + 1][axis] - points[i][axis];
    // Each place is rounded to a pixel, by at most a half: a step by at most 1, two steps' difference by at most 2.
    assert!(step(0, 0) > 100 && (step(0, 0) - step(1, 0)).abs() <= 2, "{points:?}");
    assert!(step(0, 1) < -50 && (step(0, 1) - step(1, 1)).abs() <= 2, "{points:?}");
    // The grid's label 10 is at the height of the value 10, to the same rounding.
    let label = figure.iter().find(|e| e.name == "text" && e.text == "10").unwrap();
    assert!((label.get("y").parse::<i32>().unwrap() - points[1][1]).abs() <= 1, "{label:?} {points:?}");
}

/// NaN, infinities and missing values leave gaps; the rest is drawn as far as it goes.
#[test]
fn gaps_are_left_open() {
    let nothing = [None, Some(f64::NAN), Some(f64::INFINITY)];
    for gap in nothing {
        let figure = drawn(&[with_norms(&[Some(3.0), Some(2.0), gap, Some(4.0), gap, Some(3.0), Some(3.0)])]);
        assert_eq!(lines(&figure, FIRST).len(), 1 + 2 + 3, "{gap:?}: legend, two stretches of S_F, three panels");
        assert_eq!(dots(&figure, FIRST, "2").len(), 1, "{gap:?}: the value between gaps");
        assert_eq!(dots(&figure, FIRST, "3").len(), 2, "{gap:?}: the minima 3 and 2");
    }
    // A loss of 0 has no place on a logarithmic axis; without any loss there is no panel.
    let mut zero = run(Dense, 0, 2, 0.5, 0.0);
    zero.records.iter_mut().for_each(|record| record.loss = 0.0);
    let figure = drawn(&[zero]);
    assert_eq!(lines(&figure, FIRST).len(), 1 + 2);
    assert!(!texts(&figure).contains(&"training loss") && !texts(&figure).contains(&"S_F"));
}

/// Against sparsity: an epoch's cost lies above the sparsity that it was trained at, which is what the epoch before left;
/// a run from before FLOPs were recorded has its times alone.
#[test]
fn costs_are_drawn_against_sparsity() {
    let mut stored = run(Gdstar, 3, 3, 0.5, 0.0);
    for (record, (sparsity, seconds)) in stored.records.iter_mut().zip([(0.5, 100.0), (1.0, 50.0), (1.0, 0.0)]) {
        (record.sparsity, record.seconds) = (sparsity, seconds);
    }
    let places = |runs: &[StoredRun]| -> (Vec<[i32; 2]>, usize) {
        let figure = drawn_with(runs, &against_sparsity());
        assert!(texts(&figure).contains(&"sparsity during the epoch (%)"));
        let panels = texts(&figure)
            .into_iter()
            .filter(|text| text.contains("(s)") || text.contains("GFLOP") || text.contains("MiB"));
        let place = |dot: &&Element| ["cx", "cy"].map(|axis| dot.get(axis).parse().unwrap());
        (dots(&figure, FIRST, "2").iter().map(place).collect(), panels.count())
    };
    let (dots, panels) = places(std::slice::from_ref(&stored));
    assert_eq!((dots.len(), panels), (3, 1));
    // Equal steps of sparsity and of seconds, each place rounded to a pixel.
    let step = |i: usize, axis: usize| dots[i + 1][axis] - dots[i][axis];
    assert!(step(0, 0) > 100 && (step(0, 0) - step(1, 0)).abs() <= 2, "{dots:?}");
    assert!(step(0, 1) > 30 && (step(0, 1) - step(1, 1)).abs() <= 2, "{dots:?}");
    for record in &mut stored.records {
        (record.effective_flops, record.bytes) = (Some(5_000_000_000), Some(1 << 20));
    }
    assert_eq!(places(&[stored]).1, 3);
}

/// Whatever a record can hold is drawn, in finite time and within the figure.
#[test]
fn extreme_values_are_drawn() {
    let extremes = [5e-324, f64::MIN_POSITIVE, 1e-16, 1.0 + f64::EPSILON, 1.0, 12345.678, 1e300, f64::MAX];
    for low in extremes {
        for high in extremes {
            let mut run = with_norms(&[Some(low), Some(high)]);
            for (record, value) in run.records.iter_mut().zip([low, high]) {
                (record.loss, record.test_accuracy) = (value, -value);
            }
            let figure = drawn(&[run]);
            assert!(!texts(&figure).iter().any(|t| t.contains("NaN") || t.contains("inf")), "{low:e} {high:e}");
            for line in lines(&figure, FIRST) {
                let mut numbers = line.get("points").split([',', ' ']).filter(|x| !x.is_empty());
                assert!(numbers.all(|x| (0..=1500).contains(&x.parse::<i32>().unwrap())), "{low:e} {high:e}: {line:?}");
            }
        }
    }
}

/// Labels are round numbers that differ, on every axis.
#[test]
fn labels_are_round() {
    let mut run = with_norms(&[1.0, 2.0, 2.5].map(Some));
    for (record, loss) in run.records.iter_mut().zip([1.0, 0.01, 0.0001]) {
        record.loss = loss;
    }
    let figure = drawn(&[run]);
    let told = texts(&figure);
    for label in ["0", "1", "2", "3", "1.5", "2.5", "100", "0.1", "0.001"] {
        assert!(told.contains(&label), "`{label}` is not in {told:?}");
    }
    assert!(!told.contains(&"0.5"), "epochs are whole: {told:?}");
    // A loss that hardly moves spans no 1, 2, 5: its logarithmic axis is labelled by equal steps.
    let figure = drawn(&[with_norms(&[1.0, 2.0].map(Some))]);
    for label in ["0.49", "0.50", "0.51"] {
        assert!(texts(&figure).contains(&label), "`{label}` is not in {:?}", texts(&figure));
    }
}

/// From folders to a file, and what is refused.
#[test]
fn the_command_writes_the_figure_or_says_why_not() {
    let base = tempfile::tempdir().unwrap();
    let (path, out) = (base.path().join("run"), base.path().join("figure.svg"));
    let stored = StoredRun { name: "run".to_string(), ..run(Gdstar, 3, 2, 0.5, 0.25) };
    store(&stored, &path);
    let (there, svg) = (path.to_str().unwrap(), out.to_str().unwrap());
    let output = gdstar(&["plot", there, "--out", svg]);
    assert!(output.status.success() && output.stdout.is_empty(), "{}", text(&output.stderr));
    assert_eq!(
        std::fs::read_to_string(&out).unwrap(),
        plot(std::slice::from_ref(&stored), &PlotOptions::default()).unwrap()
    );
    let output = gdstar(&["plot", there, "--against", "sparsity", "--out", svg]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(
        std::fs::read_to_string(&out).unwrap(),
        plot(std::slice::from_ref(&stored), &against_sparsity()).unwrap()
    );

    assert_fails(&["plot", there], 2, &["--out"]);
    assert_fails(&["plot", there, "--out", "figure.png"], 2, &["--out", ".svg", "figure.png"]);
    let apart = [&["plot", "--out", svg, "--seeds", "apart"], &[there; 29][..]].concat();
    assert_fails(&apart, 2, &["1 to 28 runs", "found 29"]);
    let with = |options: &[&'static str]| [&["plot", there, "--out", svg], options].concat();
    assert_fails(&with(&["--width", "10"]), 2, &["--width", "400 to 10000", "found 10"]);
    assert_fails(&with(&["--height", "100"]), 2, &["--height", "pixels", "found 100"]);
    assert_fails(&with(&["--range", "loss=2:1"]), 2, &["--range", "loss=LOW:HIGH", "2:1"]);
    assert_fails(&with(&["--range", "loss=0:1"]), 2, &["--range", "its axis can show", "0:1"]);
    assert_fails(&with(&["--range", "loss"]), 2, &["--range", "KEY=LOW:HIGH"]);
    assert_fails(&with(&["--epochs", "5:9"]), 2, &["a completed epoch", "none"]);
    assert_fails(&with(&["--epochs", "5"]), 2, &["--epochs", "two numbers"]);
    assert_fails(&with(&["--quantity", "losses"]), 2, &["--quantity", "losses", "k_star"]);
    assert_fails(&with(&["--quantity", "tau"]), 2, &["a quantity that some run has", "tau"]);
    let output =
        gdstar(&with(&["--quantity", "alpha,k_star,loss", "--width", "600", "--height", "700", "--epochs", "0:1"]));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let early = base.path().join("early");
    store(&run(Gdstar, 3, 0, 0.0, 0.0), &early);
    assert_fails(&["plot", early.to_str().unwrap(), "--out", svg], 2, &["a completed epoch", "none"]);
}

/// Every quantity of the metrics can be drawn, in the order asked for.
#[test]
fn every_quantity_has_its_panel() {
    let mut stored = run(Gdstar, 0, 2, 0.5, 0.5);
    for record in &mut stored.records {
        (record.effective_flops, record.bytes) = (Some(1 << 30), Some(1 << 20));
        record.numbers = measured().into_iter().filter_map(|told| Some((told.key?, Number::Real(0.5)))).collect();
    }
    let mut quantities = Quantity::all();
    quantities.reverse();
    let options = PlotOptions { quantities: quantities.clone(), ..PlotOptions::default() };
    let figure = drawn_with(&[stored], &options);
    assert_eq!(lines(&figure, FIRST).len(), 1 + quantities.len(), "legend, a panel each");
    let told = texts(&figure);
    let place =
        |label: &str| told.iter().position(|text| *text == label).unwrap_or_else(|| panic!("{label}: {told:?}"));
    assert!(place("tau") < place("alpha") && place("alpha") < place("k*") && place("k*") < place("learning rate"));
}

/// Seeds of one experiment are one line, their mean, on a band from the smallest to the largest; apart, a line each.
/// Runs on other data, or with another setting, are never drawn together.
#[test]
fn seeds_are_one_line_on_a_band() {
    let seeds = |norms: [f64; 3]| {
        let mut runs: Vec<StoredRun> = norms.iter().map(|&norm| with_norms(&[Some(norm); 3])).collect();
        runs.iter_mut().zip(0..).for_each(|(run, seed)| run.config.seed = seed);
        runs
    };
    let height = |element: &Element| -> Vec<i32> {
        element.get("points").split_whitespace().map(|p| p.split(',').nth(1).unwrap().parse().unwrap()).collect()
    };
    let figure = drawn(&seeds([1.0, 2.0, 6.0]));
    assert!(texts(&figure).contains(&"3 runs"), "{:?}", texts(&figure));
    assert_eq!(lines(&figure, FIRST).len(), 1 + 4, "legend, four panels");
    let bands: Vec<&Element> = figure.iter().filter(|e| e.name == "polygon" && e.get("fill") == FIRST).collect();
    assert_eq!(bands.len(), 4);
    let (band, mean) = (height(bands[0]), height(lines(&figure, FIRST)[1]));
    let (low, high) = (*band.iter().max().unwrap(), *band.iter().min().unwrap());
    // The mean 3 of 1 to 6: two fifths of the way up, every place rounded to a pixel.
    assert!((5 * (low - mean[0]) - 2 * (low - high)).abs() <= 5, "{band:?} {mean:?}");
    let apart = drawn_with(&seeds([1.0, 2.0, 6.0]), &PlotOptions { seeds: Seeds::Apart, ..PlotOptions::default() });
    assert!(apart.iter().all(|e| e.name != "polygon") && texts(&apart).contains(&"seed 2"));
    let mut other = seeds([1.0, 2.0, 6.0]);
    other[0].fingerprint = Some("0123456789".to_string());
    other[1].config.hyper.lambda = 0.5;
    let figure = drawn(&other);
    assert!(figure.iter().all(|e| e.name != "polygon"));
    let mut swept = seeds([1.0, 2.0, 6.0]);
    swept[2].config.hyper.lambda = 0.5;
    let swept = drawn(&swept);
    assert!(texts(&swept).contains(&"the paper's settings, 2 runs"), "{:?}", texts(&swept));
    let told = texts(&figure);
    for part in ["digits (01234567)", "lambda = 0.5"] {
        assert!(told.iter().any(|text| text.contains(part)), "`{part}` is not in {told:?}");
    }
}

/// More runs than colours are told apart by dashes.
#[test]
fn more_runs_than_colours_are_dashed() {
    let runs: Vec<StoredRun> = (0..9).map(|seed| run(Gdstar, seed, 2, 0.5, 0.5)).collect();
    let figure = drawn_with(&runs, &PlotOptions { seeds: Seeds::Apart, ..PlotOptions::default() });
    let third = lines(&figure, "#009E73").len();
    assert_eq!(third, 1 + 4);
    assert!(lines(&figure, FIRST).len() > 2 * third, "the eighth run has the first colour, in dashes");
    assert!(texts(&figure).contains(&"seed 8"));
}

/// One value that would press all others into a tenth of the axis lies beyond it, and the panel says so; where it does
/// not, or where the axis' ends are given, nothing is left out unsaid.
#[test]
fn an_outlier_does_not_set_the_scale() {
    let mut norms: Vec<Option<f64>> = (0..20).map(|k| Some(1.0 + f64::from(k % 3))).collect();
    norms[7] = Some(1000.0);
    let figure = drawn(&[with_norms(&norms)]);
    assert!(texts(&figure).contains(&"1 value beyond the axis, the farthest 1.000e3"), "{:?}", texts(&figure));
    assert!(texts(&figure).contains(&"2.0") || texts(&figure).contains(&"2"), "{:?}", texts(&figure));
    assert_eq!(lines(&figure, FIRST).len(), 1 + 2 + 3, "S_F leaves its panel and comes back");
    for line in lines(&figure, FIRST) {
        let mut numbers = line.get("points").split([',', ' ']).filter(|x| !x.is_empty());
        assert!(numbers.all(|x| (0..=1500).contains(&x.parse::<i32>().unwrap())), "{line:?}");
    }
    norms[7] = Some(9.0);
    assert!(!texts(&drawn(&[with_norms(&norms)])).iter().any(|text| text.contains("beyond")));
    norms[7] = Some(1000.0);
    let whole = PlotOptions { ranges: vec![("frobenius".parse().unwrap(), [0.0, 1000.0])], ..PlotOptions::default() };
    let figure = drawn_with(&[with_norms(&norms)], &whole);
    assert!(texts(&figure).contains(&"1000") && !texts(&figure).iter().any(|text| text.contains("beyond")));
}

/// Nor does one of losses, whose axis is logarithmic, and nor do two of fifty values.
#[test]
fn outliers_of_a_logarithmic_axis_and_two_of_fifty_lie_beyond_it() {
    let mut losses = run(Gdstar, 0, 20, 0.5, 0.5);
    for (k, record) in losses.records.iter_mut().enumerate() {
        record.loss = if k == 7 { 1e9 } else { 0.125 * (1 + k % 3) as f64 };
    }
    let figure = drawn(&[losses]);
    assert!(texts(&figure).contains(&"1 value beyond the axis, the farthest 1.000e9"), "{:?}", texts(&figure));
    let mut norms: Vec<Option<f64>> = (0..50).map(|k| Some(1.0 + f64::from(k % 3))).collect();
    (norms[7], norms[30]) = (Some(1e12), Some(3e15));
    let figure = drawn(&[with_norms(&norms)]);
    assert!(texts(&figure).contains(&"2 values beyond the axis, the farthest 3.000e15"), "{:?}", texts(&figure));
}

/// A legend of any length is broken into lines that are not cut off.
#[test]
fn long_legends_are_broken() {
    let mut other = run(Gdstar, 1, 2, 0.5, 0.5);
    other.config.hyper.lambda = 0.5;
    other.config.hyper.eps = 1e-3;
    other.config.hyper.alpha_0 = 0.9;
    other.config.hyper.chunks = 16;
    other.config.optimizer.batch_size = 64;
    other.config.optimizer.momentum = 0.5;
    let figure =
        drawn_with(&[run(Gdstar, 0, 2, 0.5, 0.5), other], &PlotOptions { width: Some(400), ..PlotOptions::default() });
    for label in texts(&figure) {
        // In a font whose letters are as wide as 0.6 of its size.
        assert!(label.len() * 16 * 6 / 10 <= 400, "{label}");
    }
    let told = texts(&figure).join(" ");
    assert!(told.contains("batch_size = 64") && told.contains("momentum = 0.5"), "{told}");
}
