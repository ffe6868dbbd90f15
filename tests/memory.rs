//! Peak memory: of one training step of every network, and of files that are not what they are taken for. A binary of its
//! own, since it counts what the program allocates.

use gdstar::json;
use gdstar::kernel::{Aligned, Kernel, Pool, buffer, images};
use gdstar::nn::{Mode, models};
use gdstar::random::{Purpose, stream, unit};
use gdstar::tensor_file::TensorFile;
use gdstar::train::Step;
use peak_alloc::PeakAlloc;
use std::io::{BufWriter, Write};
use std::sync::{Mutex, PoisonError};

#[global_allocator]
static ALLOCATOR: Aligned<PeakAlloc> = Aligned(PeakAlloc);

/// What is allocated is counted for the whole process.
static ALONE: Mutex<()> = Mutex::new(());

/// The most that a step may take of what it needs at the least, which is the parameters, the gradients, and the
/// activations saved for backward. The rest are the gradients of activations under way and the kernels' buffers.
const MOST: f64 = 1.5;

/// What a step may take besides, whatever the network: the kernels' tiles (half a MiB a thread), and arrays that lie idle
/// until one of their size is wanted, since memory is kept for the next step rather than given back. It matters for
/// LeNet alone, whose arrays are of every size and add up to 7 MB.
const IDLE: usize = 4 << 20;

/// The paper's batch, cut so that the saved activations take no more than this, but never below [`LEAST`].
const BATCH: usize = 128;
const ACTIVATIONS: usize = 64 << 20;
/// Batch norm over fewer values is not what anybody trains.
const LEAST: usize = 4;

/// One image of 44 million pixels, which zlib packs into some hundred kilobytes, says nothing of the size of those beside
/// it: memory for them is set aside as they are read.
#[test]
fn a_large_image_sets_nothing_aside_for_others() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let root = tempfile::tempdir().unwrap();
    for part in ["train", "test"] {
        std::fs::create_dir_all(root.path().join(part).join("a")).unwrap();
        for i in 1..40 {
            std::fs::write(root.path().join(part).join(format!("a/{i:02}.png")), b"x").unwrap();
        }
        let black = image::RgbImage::new(6600, 6600);
        black.save(root.path().join(part).join("a/00.png")).unwrap();
    }
    let before = ALLOCATOR.0.current_usage();
    ALLOCATOR.0.reset_peak_usage();
    let error = gdstar::data::load(gdstar::data::Source::ImageFolder, Some(root.path())).unwrap_err();
    let peak = ALLOCATOR.0.peak_usage() - before;
    assert!(error.to_string().contains("a/01.png: byte 0: expected a PNG"), "{error}");
    assert!(peak <= BEFORE_BELIEF, "{peak} bytes");
}

/// A step of every network stays within 1.5 times what it needs, and needs what `gdstar models` says: were the estimate too
/// large, forward would hold less than it.
#[test]
fn a_training_step_stays_within_its_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for entry in models::MODELS {
        let network = entry.network(entry.input, entry.classes).unwrap();
        let of_full_batch = network.summary::<f32>(BATCH).unwrap().activation_bytes;
        let batch = (BATCH * ACTIVATIONS / of_full_batch).clamp(LEAST, BATCH);
        let summary = network.summary::<f32>(batch).unwrap();
        let mut rng = stream(0, Purpose::Initialisation, 0);
        let [c, h, w] = entry.input;
        // In the order that a data set gives them in.
        let pixels = (0..batch * c * h * w).map(|_| unit(&mut rng) as f32);
        let x = images([batch, c, h, w], pixels.collect()).into_dyn();
        let pixels = x.len() * size_of::<f32>();
        let before = ALLOCATOR.0.current_usage() - pixels;
        let parameters = network.initialise::<f32>(&mut rng);
        let labels: Vec<usize> = (0..batch).map(|i| i % entry.classes).collect();
        ALLOCATOR.0.reset_peak_usage();
        let compute = || Step::compute(&network, Kernel::Fast, &parameters, x, labels, Mode::Training, Some(&mut rng));
        let step = Pool::new().install(compute).unwrap();
        let (peak, needed) = (ALLOCATOR.0.peak_usage() - before, summary.step_bytes());
        assert!(step.loss.is_finite());
        let ratio = peak.saturating_sub(IDLE) as f64 / needed as f64;
        println!("{} at batch {batch}: {peak} bytes of {needed}, {ratio:.2} without {IDLE}", entry.name);
        assert!(ratio <= MOST, "{}: {peak} bytes, {ratio:.2} times the {needed} that a step needs", entry.name);
        // Parameters and saved activations are there at the same time.
        let together = summary.parameter_bytes + summary.activation_bytes;
        assert!(peak >= together, "{}: {peak} bytes, less than the {together} it is said to keep", entry.name);
    }
}

/// What a pool keeps is given back with it, and not before.
#[test]
fn a_pool_gives_its_memory_back() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (pool, bytes) = (Pool::new(), 8 << 20);
    let before = ALLOCATOR.0.current_usage();
    pool.install(|| buffer::recycle_elements(buffer::zeros::<u8>(bytes)));
    assert!(ALLOCATOR.0.current_usage() >= before + bytes);
    drop(pool);
    assert!(ALLOCATOR.0.current_usage() < before + bytes);
    buffer::recycle_elements(buffer::zeros::<u8>(bytes)); // without a pool
    assert!(ALLOCATOR.0.current_usage() < before + bytes);
}

/// The most that is set aside for a file before it is believed.
const BEFORE_BELIEF: usize = 512 << 20;

/// The peak of what `work` allocates.
fn peak(work: impl FnOnce()) -> usize {
    let before = ALLOCATOR.0.current_usage();
    ALLOCATOR.0.reset_peak_usage();
    work();
    ALLOCATOR.0.peak_usage() - before
}

/// A header is the costlier the more tensors it has. A quarter of the largest that the format allows, of nothing but empty
/// tensors with the shortest names, takes less than a quarter of what may be set aside.
#[test]
fn a_header_of_empty_tensors_takes_little() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut out = BufWriter::new(&file);
    let tensor = |i: usize| format!(r#""{i}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#);
    let count = 430_000;
    let length: usize = (0..count).map(|i| tensor(i).len() + 1).sum();
    assert!((24_000_000..=25_000_000).contains(&length), "{length}");
    out.write_all(&(length as u64 + 1).to_le_bytes()).unwrap();
    (0..count).for_each(|i| write!(out, "{}{}", if i == 0 { '{' } else { ',' }, tensor(i)).unwrap());
    out.write_all(b"}").unwrap();
    out.into_inner().unwrap();
    let peak = peak(|| assert_eq!(TensorFile::open(file.path()).unwrap().names().count(), count));
    assert!(peak <= BEFORE_BELIEF / 4, "{peak} bytes");
}

/// The costliest JSON is small objects; as much of it as is taken, and more, which is refused by its length.
#[test]
fn json_of_small_objects_takes_little() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for (size, is_taken) in [(4 << 20, true), (64 << 20, false)] {
        let text = format!("[{}0]", r#"{"":0},"#.repeat(size / 7 - 1));
        let peak = peak(|| assert_eq!(json::parse(text.as_bytes()).is_ok(), is_taken));
        assert!(peak <= BEFORE_BELIEF, "{size}: {peak} bytes");
    }
}
