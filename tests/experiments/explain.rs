//! `gdstar explain`: every equation has its page, every number on it is the run's, a weight's life is what happened to it.

use super::common::{printed, refused, word};
use gdstar::data::{self, Source};
use gdstar::explain::{Example, PAGES, Watch, Watched, life, rewind, tour};
use gdstar::method::Method;
use gdstar::paper::EQUATIONS;
use gdstar::train::{Config, EpochRecord, Session};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// GDSTAR on the digits, so that weights are eliminated at once.
fn config() -> Config {
    let mut config = Config::new("lenet300", Source::Digits, Method::Gdstar);
    config.hyper.epochs = 4;
    config.hyper.eps = 0.01;
    config.hyper.chunks = 3;
    config
}

fn watched(example: Example) -> (Watched, Vec<EpochRecord>) {
    static STOP: AtomicBool = AtomicBool::new(false);
    let seen = Arc::new(Mutex::new(Watched::default()));
    let watch = Watch::new(&config(), example, usize::MAX, &seen, &STOP);
    let digits = data::load(Source::Digits, None).unwrap();
    let records = Session::new(config()).unwrap().watched(|_| vec![Box::new(watch)]).train(&digits).unwrap();
    let seen = seen.lock().unwrap().clone();
    (seen, records)
}

#[test]
fn every_equation_has_a_page_whose_source_and_open_points_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let points = std::fs::read_to_string(root.join("docs/open-points.md")).unwrap();
    for equation in EQUATIONS {
        let page = PAGES.iter().find(|page| page.number == equation.number).expect(equation.number);
        let source = std::fs::read_to_string(root.join(page.source)).expect(page.source);
        let function = equation.function.rsplit("::").next().unwrap();
        assert!(source.contains(&format!("fn {function}")), "{} is not in {}", function, page.source);
        for point in page.points {
            assert!(points.contains(&format!("\n### {point}. ")), "{}: open point {point}", page.number);
        }
    }
    assert_eq!(PAGES.len(), EQUATIONS.len());
}

#[test]
fn what_is_watched_is_what_the_run_records() {
    let (seen, records) = watched(Example::At(7));
    assert_eq!(seen.moments.len(), records.len());
    for (moment, record) in seen.moments.iter().zip(&records) {
        let real = |key| record.numbers.real(key).unwrap();
        assert_eq!(
            (moment.k, moment.s_f, moment.tau, moment.alpha),
            (record.epoch, real("frobenius"), real("tau"), real("alpha"))
        );
        assert_eq!((Some(moment.k_star), Some(moment.t)), (record.numbers.count("k_star"), record.numbers.count("t")));
        // Eq. 2 in the run's own arithmetic, batch by batch.
        let followed = moment.followed.as_ref().unwrap();
        let g = followed.gradients.iter().fold(0.0_f32, |g, &x| (x as f32).mul_add(x as f32, g));
        let plain = followed.gradients.iter().fold(0.0_f32, |g, &x| g + x as f32 * x as f32);
        assert!([g, plain].map(f64::from).contains(&followed.g), "{} is neither {g} nor {plain}", followed.g);
        assert_eq!(moment.batches, followed.gradients.len());
    }
    let (n, alive) = (seen.whole.is_alive.len(), seen.whole.is_alive.iter().filter(|&&alive| alive).count());
    assert_eq!((n - alive) as f64 / n as f64, records.last().unwrap().sparsity);
    assert!(alive < n, "weights are eliminated");
}

#[test]
fn a_tour_puts_the_epochs_numbers_into_every_equation() {
    let example = watched(Example::None).0.telling();
    let (seen, records) = watched(Example::At(example));
    let text = tour(&PAGES.iter().collect::<Vec<_>>(), &seen).unwrap();
    let last = records.last().unwrap();
    for page in PAGES {
        assert!(text.contains(&format!("{} (section {})", page.number, page.section)), "{}", page.number);
    }
    for (symbol, key) in [("S_F = sqrt(", "frobenius"), (" / 3 = ", "tau"), ("(0.25 - 0.95) = ", "alpha")] {
        let line = text.lines().find(|line| line.starts_with("  ") && line.contains(symbol)).unwrap();
        let shown: f64 = line.rsplit(" = ").next().unwrap().parse().unwrap();
        let value = last.numbers.real(key).unwrap();
        // Six digits: half a unit of the sixth at the most.
        assert!((shown - value).abs() <= 0.5e-5 * value.abs() + 0.5e-6, "{line}: {key} is {value}");
    }
    assert!(text.contains("eliminated"), "the example is one that the epoch eliminates:\n{text}");
    assert!(text.contains("tau = ("), "three chunks:\n{text}");
}

#[test]
fn a_life_ends_where_the_mask_says() {
    let example = watched(Example::None).0.telling();
    let (seen, _) = watched(Example::At(example));
    let text = life(&seen).unwrap();
    let end = seen.moments.iter().find(|moment| !moment.followed.as_ref().unwrap().is_alive).unwrap();
    assert!(text.ends_with(&format!("and eliminated in epoch {}.", end.k)), "{text}");
    let place = seen.place.as_ref().unwrap().to_string();
    assert_eq!(watched(Example::Named(place.clone())).0, seen, "{place} is the same weight by its name");
}

#[test]
fn the_rewind_points_are_those_of_the_run() {
    let (seen, records) = watched(Example::None);
    let moved = records.iter().filter(|r| r.numbers.count("k_star") == Some(r.epoch)).count();
    let text = rewind(&seen).unwrap();
    assert!(text.contains(&format!("k* moved in {moved} of 4 epochs")), "{text}");
    assert_eq!(text.matches('*').count(), moved + 3, "one mark an epoch, and three in words:\n{text}");
}

#[test]
fn bad_input_is_one_line() {
    let cases: [(&[&str], &str); 6] = [
        (&["eq12"], "EQUATION"),
        (&["--weight", "fc9[1,2]"], "fc1.weight"),
        (&["--weight", "fc1[300,0]"], "[300, 64]"),
        (&["--weight", "fc1"], "fc1[3,17]"),
        (&["--epoch", "300"], "0 to 299"),
        (&["--run", "/nowhere"], "config.toml"),
    ];
    for (arguments, said) in cases {
        let (line, status) = refused(&[&["explain"], arguments].concat());
        assert!(line.contains(said) && status == 2, "{arguments:?}: {line}");
    }
}

#[test]
fn a_run_folder_is_explained_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let train = ["train", "--model", "lenet300", "--data", "digits", "--epochs", "3", "--eps", "0.01", "--out"];
    printed(&[&train[..], &[word(&run)]].concat());
    let list = || {
        let mut files: Vec<_> = std::fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect::<Vec<_>>()
    };
    let before = list();
    let text = printed(&["explain", "alg4", "--run", word(&run)]);
    assert!(text.contains("epoch 2 of 3") && text.contains("Alg. 4 (section 3.1)"), "{text}");
    assert_eq!(list(), before);
}
