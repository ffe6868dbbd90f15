//! [`TensorBoard`]: a run's numbers as an event file, which TensorBoard shows while the run goes on.
//!
//! The file is a sequence of TensorFlow's records: the length as 64 bits, its checksum, the bytes, their checksum, all
//! little-endian. A checksum is CRC-32C, rotated and shifted ("masked") so that one of a checksum is none of what it covers. The
//! bytes are a protocol buffer, `tensorflow.Event`, of which four fields are used: wall_time = 1 (double), step = 2 (int64),
//! file_version = 3 (string) and summary = 5, a list of values (field 1), each with a tag = 1 (string) and a simple_value = 2
//! (float). (No crate that writes them has been released in the last years.)

use crate::error::{Error, Result};
use crate::export::protobuf::Message;
use crate::scalar::Scalar;
use crate::train::{EpochEvent, EpochRecord, Observer};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the first record says.
const VERSION: &str = "brain.Event:2";

/// Writes an event file into a folder; every start of a run, also one that is resumed, has a file of its own.
pub struct TensorBoard {
    folder: PathBuf,
    file: Option<(PathBuf, File)>,
}

impl TensorBoard {
    /// In this folder, which is made with the first epoch.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), file: None }
    }

    fn write(&mut self, record: &EpochRecord) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (path, file) = match &mut self.file {
            Some(open) => open,
            closed => closed.insert(begin(&self.folder, now)?),
        };
        let event = framed(&event(now, record.epoch, &scalars(record)).bytes());
        file.write_all(&event).map_err(Error::io(path.as_path(), "write"))
    }
}

impl<S: Scalar> Observer<S> for TensorBoard {
    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        self.write(event.record)
    }
}

/// A new event file; its name holds the second, and a count where that is taken.
fn begin(folder: &Path, now: Duration) -> Result<(PathBuf, File)> {
    std::fs::create_dir_all(folder).map_err(Error::io(folder, "create"))?;
    let name = |i: usize| folder.join(format!("events.out.tfevents.{:010}.gdstar.{i}", now.as_secs()));
    let path = (0..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(Error::io(&path, "create"))?;
    let version = Message::default().double(1, now.as_secs_f64()).text(3, VERSION);
    file.write_all(&framed(&version.bytes())).map_err(Error::io(&path, "write"))?;
    Ok((path, file))
}

/// Every number of a record by the key that `metrics.jsonl` has it under; of a table in it, `table/key`.
fn scalars(record: &EpochRecord) -> Vec<(String, f64)> {
    let Ok(Value::Object(keys)) = serde_json::to_value(record) else { return Vec::new() };
    let mut found = Vec::new();
    for (key, value) in keys.iter().filter(|(key, _)| *key != "epoch" && *key != "layers") {
        match value {
            Value::Object(table) => {
                found.extend(table.iter().filter_map(|(inner, x)| Some((format!("{key}/{inner}"), x.as_f64()?))));
            }
            value => found.extend(value.as_f64().map(|x| (key.clone(), x))),
        }
    }
    found
}

/// `tensorflow.Event` of one epoch.
fn event(now: Duration, step: usize, scalars: &[(String, f64)]) -> Message {
    let value = |(tag, x): &(String, f64)| Message::default().text(1, tag).float(2, *x as f32);
    let values: Vec<Message> = scalars.iter().map(value).collect();
    let summary = Message::default().messages(1, &values);
    Message::default().double(1, now.as_secs_f64()).int(2, step as i64).message(5, &summary)
}

/// TensorFlow's record of these bytes.
fn framed(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    [&length[..], &masked(&length).to_le_bytes(), content, &masked(content).to_le_bytes()].concat()
}

fn masked(content: &[u8]) -> u32 {
    crc32c(content).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli), bit by bit: an epoch has a few kilobytes.
fn crc32c(content: &[u8]) -> u32 {
    /// The polynomial 1EDC6F41, the lowest bit first.
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let byte = |crc: u32, &byte: &u8| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 })
    };
    !content.iter().fold(!0, byte)
}
