//! Streams of tensors: however one is begun, cut off and gone on with, the file that it becomes holds what was put into it.

use gdstar::Result;
use gdstar::tensor_file::{StreamExtent, Tensor, TensorFile, TensorSink, TensorStream};
use serde_json::{Map, Value};
use std::fs;
use std::path::{Path, PathBuf};

/// More than the header of [`COUNT`] tensors takes.
const ENOUGH: u64 = 4096;
const COUNT: usize = 20;

fn metadata() -> Map<String, Value> {
    Map::from_iter([("gdstar".to_string(), Value::String("{}".to_string()))])
}

fn put(stream: &mut TensorStream, tensors: std::ops::Range<usize>) {
    for i in tensors {
        let values: Vec<f32> = (0..i).map(|j| (i * j) as f32).collect();
        stream.put(&format!("tensor/{i}"), &Tensor::from_slice(&[i], &values)).unwrap();
    }
}

/// The file holds the first [`COUNT`] tensors, and nothing else is beside it.
fn check(path: &Path) {
    let file = TensorFile::open(path).unwrap();
    assert_eq!((file.names().count(), file.metadata("gdstar")), (COUNT, Some("{}")));
    for i in 0..COUNT {
        let values = file.read::<f32>(&format!("tensor/{i}"), Some(&[i])).unwrap();
        assert!(values.iter().enumerate().all(|(j, &x)| x == (i * j) as f32), "tensor/{i}");
    }
    let header = u64::from_le_bytes(fs::read(path).unwrap()[..8].try_into().unwrap());
    assert_eq!(header % 8, 0, "tensors start aligned");
    let beside: Vec<_> = path.parent().unwrap().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, [path.file_name().unwrap()]);
}

fn part(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}.{suffix}", path.display()))
}

/// A header that the format does not allow, for which there is no room.
const TOO_MUCH: u64 = 100_000_001;

/// With room for the header, with too little of it, without; with parts that last and parts that do not.
#[test]
fn a_stream_becomes_its_file() {
    let begin: [fn(&Path) -> Result<TensorStream>; 4] = [
        |path| TensorStream::begin(path, ENOUGH),
        |path| TensorStream::begin(path, 100),
        |path| TensorStream::begin(path, TOO_MUCH),
        TensorStream::temporary,
    ];
    for begin in begin {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.safetensors");
        let mut stream = begin(&path).unwrap();
        put(&mut stream, 0..COUNT);
        stream.finish(&metadata()).unwrap();
        drop(stream);
        check(&path);
    }
}

/// The part that holds the tensors is the file: the disk never holds them twice.
#[cfg(unix)]
#[test]
fn with_room_for_the_header_nothing_is_copied() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.safetensors");
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    for (header, is_copied) in [(ENOUGH, false), (100, true), (TOO_MUCH, true)] {
        let mut stream = TensorStream::begin(&path, header).unwrap();
        put(&mut stream, 0..COUNT);
        let before = inode(&part(&path, "data"));
        stream.finish(&metadata()).unwrap();
        assert_eq!(inode(&path) != before, is_copied, "room for {header} bytes");
        check(&path);
    }
}

/// Cut off at any byte after its last extent, also while the header was written, a stream goes on from there, whether it
/// was begun with room or, as the first ones, without.
#[test]
fn a_stream_goes_on_from_its_extent() {
    for header in [ENOUGH, TOO_MUCH] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.safetensors");
        let mut stream = TensorStream::begin(&path, header).unwrap();
        put(&mut stream, 0..COUNT / 2);
        let extent = stream.sync().unwrap();
        put(&mut stream, COUNT / 2..COUNT - 3);
        drop(stream);
        assert!(TensorStream::is_unfinished(&path).unwrap());
        // As a checkpoint stores it.
        let stored = serde_json::to_string(&extent).unwrap();
        assert_eq!(stored.contains("room"), header == ENOUGH, "{stored}");
        let extent: StreamExtent = serde_json::from_str(&stored).unwrap();
        let data = part(&path, "data");
        let mut bytes = fs::read(&data).unwrap();
        bytes[..extent.room as usize].fill(b'{');
        fs::write(&data, &bytes).unwrap();
        // A damaged byte of the tensors is seen.
        bytes[extent.room as usize + 40] ^= 1;
        fs::write(&data, &bytes).unwrap();
        let told = TensorStream::resume(&path, extent).err().unwrap().to_string();
        assert!(told.contains("another's, or damaged"), "{told}");
        bytes[extent.room as usize + 40] ^= 1;
        fs::write(&data, &bytes).unwrap();
        let mut stream = TensorStream::resume(&path, extent).unwrap();
        put(&mut stream, COUNT / 2..COUNT);
        stream.finish(&metadata()).unwrap();
        check(&path);
    }
}

/// Killed between the last two steps, a stream is its file already.
#[test]
fn an_index_alone_belongs_to_a_file_that_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.safetensors");
    let mut stream = TensorStream::begin(&path, ENOUGH).unwrap();
    put(&mut stream, 0..COUNT);
    stream.sync().unwrap();
    let index = fs::read(part(&path, "index")).unwrap();
    stream.finish(&metadata()).unwrap();
    fs::write(part(&path, "index"), index).unwrap();
    assert!(!TensorStream::is_unfinished(&path).unwrap());
    check(&path);
}

/// A link stays, and what it leads to is made, beside it or elsewhere.
#[cfg(unix)]
#[test]
fn a_stream_follows_a_link() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("disk")).unwrap();
    let (link, place) = (folder.path().join("t.safetensors"), folder.path().join("disk/t.safetensors"));
    std::os::unix::fs::symlink("disk/t.safetensors", &link).unwrap();
    for begin in [|path: &Path| TensorStream::begin(path, ENOUGH), TensorStream::temporary] {
        let mut stream = begin(&link).unwrap();
        put(&mut stream, 0..COUNT);
        stream.finish(&metadata()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        check(&place);
    }
}

/// Nobody could go on with it: nothing of it is ever seen.
#[test]
fn a_temporary_stream_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut stream = TensorStream::temporary(&folder.path().join("t.safetensors")).unwrap();
    put(&mut stream, 0..COUNT);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}
