//! The store of experiments: what is read of a finished run is what the run left; any other is refused.

use super::checkpoint::{Fixture, fixture};
use super::input::changed;
use super::{accepted, folder};
use gdstar::Result;
use gdstar::experiment::{Asked, Bench, Finished, Job, Scale, Store};
use gdstar::train::EpochRecord;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

/// A store with one finished run.
struct Kept {
    folder: TempDir,
    job: Job,
    /// What a reader of the store opens, as it was left: the receipt, the results, the settings, what was asked for, the version.
    files: Vec<(PathBuf, Vec<u8>)>,
    left: (Vec<Asked>, Vec<EpochRecord>),
}

fn kept() -> Kept {
    let Fixture { config, dataset, .. } = fixture();
    let folder = folder::folder();
    let mut config = config.clone();
    config.hyper.epochs = 1;
    let job = Job::train(config);
    let store = Store::create(folder.path()).expect("an empty folder becomes a store");
    store.note("table2", &Scale::default()).expect("a note is written");
    let stop = AtomicBool::new(false);
    let bench = Bench { dataset, stop: &stop, watch: &|_, _| Vec::new(), progress: &|_, _, _| () };
    store.finish(&job, &bench).expect("a run of three digits ends");
    let run = store.folder_of(&job).expect("it has a hash");
    let note = folder.path().join("asked").read_dir().expect("it was noted").next().expect("it was noted");
    let mut paths: Vec<PathBuf> = ["finished.json", "metrics.jsonl", "config.toml"].map(|name| run.join(name)).into();
    paths.extend([note.expect("an entry").path(), folder.path().join("store.toml")]);
    let read = |path: PathBuf| {
        let content = std::fs::read(&path).expect("it was written");
        (path, content)
    };
    let files = paths.into_iter().map(read).collect();
    let left = opened(folder.path(), &job).expect("a store that was left so is read").expect("the run is finished");
    Kept { folder, job, files, left }
}

/// All that a report reads of the store; `None` of a run that is not finished.
fn opened(folder: &Path, job: &Job) -> Result<Option<(Vec<Asked>, Vec<EpochRecord>)>> {
    let store = Store::at(folder)?;
    let asked = store.asked()?;
    Ok(Finished::of(&store).records(job)?.map(|records| (asked, records)))
}

thread_local! {
    static KEPT: Kept = kept();
}

/// Reads `data` as which file is another, and changes to it ([`changed`]).
pub fn run(data: &[u8]) -> bool {
    let (which, changes) = data.split_first().unwrap_or((&0, &[]));
    KEPT.with(|Kept { folder, job, files, left }| {
        let place = usize::from(*which) % files.len();
        let (path, good) = &files[place];
        std::fs::write(path, changed(good, changes)).expect("a file in the temporary folder");
        let read = opened(folder.path(), job);
        std::fs::write(path, good).expect("a file in the temporary folder");
        accepted(read, |found| {
            let (asked, records) = found.expect("the receipt is there");
            // NaN is unequal to itself: the text is compared.
            assert_eq!(format!("{records:?}"), format!("{:?}", left.1), "{}", path.display());
            // What was asked for stands in a note that has no checksum; elsewhere it is what was asked.
            assert!(path.parent().is_some_and(|parent| parent.ends_with("asked")) || asked == left.0, "{asked:?}");
        })
    })
}
