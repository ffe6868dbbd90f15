//! What every fuzz target checks, as functions that an ordinary test can call.
//!
//! Each `run` asserts the promises of one part of the library on arbitrary bytes and returns whether the bytes were
//! accepted.

pub mod annotations;
pub mod checkpoint;
pub mod cifar10;
pub mod cifar10_archive;
pub mod config;
pub mod digits;
pub mod evaluate;
mod experiment;
pub mod fetch;
mod folder;
pub mod idx;
pub mod image;
mod input;
pub mod lmc;
pub mod lottery;
pub mod metrics;
pub mod op_cases;
pub mod plot;
pub mod quantile;
pub mod record;
mod runs;
pub mod selection;
pub mod step_trace;
pub mod store;
pub mod table;
pub mod trace;
pub mod weights;

/// The path that readers are told, for their messages.
const PATH: &str = "fuzzed";

/// Whether the bytes were accepted: what they were read as then stands `check`, and what refused them is a refusal.
fn accepted<T>(read: gdstar::Result<T>, check: impl FnOnce(T)) -> bool {
    match read {
        Ok(read) => {
            check(read);
            true
        }
        Err(error) => {
            assert_refusal(&error);
            false
        }
    }
}

/// A refusal is one line, of bounded length but for its path, that names the place, what was expected and what was found,
/// and makes the program exit with 2.
fn assert_refusal(error: &gdstar::Error) {
    let message = error.to_string();
    assert_eq!(message.lines().count(), 1, "{message:?}");
    let path = match error {
        gdstar::Error::File { path, .. } | gdstar::Error::StateDict { path, .. } => path.as_os_str().len(),
        _ => 0,
    };
    assert!(message.len() < 400 + path, "{message:?}");
    assert!(message.contains(": expected ") && message.contains(", found "), "{message:?}");
    assert_eq!(error.exit_code(), 2, "{message:?}");
}
