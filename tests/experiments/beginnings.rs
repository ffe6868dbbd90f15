//! What a run can begin with: a file of settings, several seeds, given weights; and what of it other programs read.

use super::command::{printed, refused};
use gdstar::tensor_file::{self, Tensor};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder of its own for a test, removed when that is over.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("gdstar-beginnings-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const RUN: &str = "train --model lenet300 --data digits --subset 48 --batch-size 16 --epochs 2 --every 0";

/// The metrics without what a clock decides.
fn metrics(folder: &str) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(Path::new(folder).join("metrics.jsonl")).unwrap();
    let untimed = text.lines().map(|line| {
        let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["seconds"] = serde_json::Value::Null;
        record
    });
    untimed.collect()
}

#[test]
fn a_runs_own_config_gives_the_run_again() {
    let place = Place::new("config");
    let (first, again, other) = (place.path("first"), place.path("again"), place.path("other"));
    printed(&format!("{RUN} --seed 3 --lambda 0.5 --masked-gradient zero --keep-best --out {first}"));
    printed(&format!("train --config {first}/config.toml --every 0 --out {again}"));
    assert_eq!(metrics(&first), metrics(&again));
    // What is given comes on top, and what is kept besides is asked for anew.
    assert!(Path::new(&first).join("checkpoint-best.safetensors").exists());
    assert!(!Path::new(&again).join("checkpoint-best.safetensors").exists());
    printed(&format!(
        "train --config {first}/config.toml --method rigl --sparsity 0.9 --epochs 1 --every 0 --out {other}"
    ));
    let config = fs::read_to_string(Path::new(&other).join("config.toml")).unwrap();
    assert!(config.contains("method = \"rigl\"") && config.contains("lambda = 0.5") && config.contains("seed = 3"));
    for (words, told) in [
        (format!("train --config {first}/metrics.jsonl"), "line 1"),
        (format!("train --config {first}/nothing.toml"), "nothing.toml"),
    ] {
        let line = refused(&words);
        assert!(line.contains(told), "{line}");
    }
}

#[test]
fn several_seeds_in_one_command() {
    let place = Place::new("seeds");
    let (all, one) = (place.path("all"), place.path("one"));
    printed(&format!("{RUN} --seeds 1,4 --out {all}"));
    printed(&format!("{RUN} --seed 4 --out {one}"));
    assert_eq!(metrics(&format!("{all}/seed-4")), metrics(&one));
    let before = metrics(&format!("{all}/seed-1"));
    // What is finished is read; what was not begun begins.
    fs::remove_dir_all(Path::new(&all).join("seed-4")).unwrap();
    printed(&format!("{RUN} --seeds 1,4 --out {all} --resume"));
    assert_eq!((metrics(&format!("{all}/seed-1")), metrics(&format!("{all}/seed-4"))), (before, metrics(&one)));
    let csv = printed(&format!("table {all} --format epochs"));
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 1 + 2 * 2);
    assert!(lines[0].starts_with("run,model,data,seed,") && lines[0].contains("layer_sparsity.fc1.weight"), "{csv}");
    assert!(lines[1].starts_with("seed-1,lenet300,digits,1,") && lines[4].starts_with("seed-4,"), "{csv}");
    for (seeds, told) in [("0", "--seeds"), ("1,1", "--seeds"), ("1,x", "--seeds"), ("2 --seed 1", "--seed")] {
        let line = refused(&format!("{RUN} --seeds {seeds}"));
        assert!(line.contains(told), "{line}");
    }
}

#[test]
fn weights_that_are_given() {
    let place = Place::new("init");
    let (from, run, other) = (place.path("from"), place.path("run"), place.path("other"));
    printed(&format!("{RUN} --method dense --out {from}"));
    let weights = format!("{from}/checkpoint.safetensors");
    printed(&format!("{RUN} --method dense --seed 5 --init {weights} --out {run}"));
    let config = fs::read_to_string(Path::new(&run).join("config.toml")).unwrap();
    assert!(config.contains("[init]") && config.contains("sha256"), "{config}");
    // It goes on from where the other ended.
    let loss = |folder: &str, epoch: usize| metrics(folder)[epoch]["loss"].as_f64().unwrap();
    assert!(loss(&run, 0) < loss(&from, 0));
    assert_ne!(metrics(&run), metrics(&from));
    let finished = metrics(&run);
    printed(&format!("train --out {run} --resume --every 0"));
    assert_eq!(metrics(&run), finished);
    // A run of other weights is another run, and a file of another network is none of this one's.
    let of_another = [("fc1.weight".to_string(), Tensor::from_slice(&[2, 2], &[0.5_f32; 4]))];
    tensor_file::write(Path::new(&other), HashMap::new(), &of_another).unwrap();
    let line = refused(&format!("{RUN} --init {other}"));
    assert!(line.contains("/other") && line.contains("fc1.weight"), "{line}");
    let line = refused(&format!("{RUN} --init {from}/config.toml"));
    assert!(line.contains("config.toml"), "{line}");
    let line = refused(&format!("{RUN} --init {from}"));
    assert!(line.contains("expected a regular file, found a folder"), "{line}");
    // A checkpoint in which one bit is another is none, whatever is read of it.
    let mut damaged = fs::read(&weights).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&other, damaged).unwrap();
    let line = refused(&format!("{RUN} --init {other}"));
    assert!(line.contains("SHA-256 of the content"), "{line}");
}

/// Every record is whole by its own checksums, and the last one tells the last epoch's numbers.
#[test]
fn an_event_file_for_tensorboard() {
    let place = Place::new("events");
    printed(&format!("{RUN} --tensorboard {} --out {}", place.path("events"), place.path("run")));
    let files: Vec<_> = fs::read_dir(place.path("events")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() == 1 && files[0].to_string_lossy().contains("events.out.tfevents."), "{files:?}");
    let bytes = fs::read(&files[0]).unwrap();
    let mut records: Vec<&[u8]> = Vec::new();
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        let checksum = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        assert_eq!((checksum(8), checksum(12 + length)), (masked(&rest[..8]), masked(&rest[12..12 + length])));
        records.push(&rest[12..12 + length]);
        rest = &rest[16 + length..];
    }
    assert_eq!(records.len(), 1 + 2);
    assert!(records[0].ends_with(b"brain.Event:2"));
    let accuracy = metrics(&place.path("run"))[1]["test_accuracy"].as_f64().unwrap() as f32;
    let value = [&[10, 13][..], b"test_accuracy", &[21], &accuracy.to_le_bytes()].concat();
    assert!(records[2].windows(value.len()).any(|window| window == value));
    let line = refused(&format!("{RUN} --tensorboard {}", files[0].display()));
    assert!(line.contains("expected a folder"), "{line}");
}

/// TensorFlow's masked CRC-32C, by its table.
fn masked(content: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256).map(|i| (0..8).fold(i, |c, _| (c >> 1) ^ (0x82f6_3b78 * (c & 1)))).collect();
    let crc32c =
        |bytes: &[u8]| !bytes.iter().fold(!0_u32, |c, &b| table[((c ^ u32::from(b)) & 255) as usize] ^ (c >> 8));
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    crc32c(content).rotate_right(15).wrapping_add(0xa282_ead8)
}
