//! Messages: one line of bounded length without control characters, whatever a file, a name or a server says.

use gdstar::Error;
use gdstar::nn::{models, state_dict};
use gdstar::tensor_file::TensorFile;
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};

/// Two lines of a wide screen, the path of the file aside.
const LONGEST: usize = 400;
/// The most of a path.
const LONGEST_PATH: usize = 240;

/// What a terminal obeys, what breaks a line, what turns text around, and what fills a screen.
fn hostile() -> [String; 4] {
    ["\u{1b}[31m\u{7}red", "two\nlines\r\u{2028}", "\u{202e}turned\u{9b}", &"z".repeat(100_000)].map(str::to_string)
}

/// Every variant with `text` wherever a text can be.
fn with(text: &str) -> Vec<Error> {
    let owned = || text.to_string();
    let io_error = || io::Error::other(owned());
    let path = || PathBuf::from(text);
    let mismatch = {
        let header = json!({ text: { "dtype": "F32", "shape": [0], "data_offsets": [0, 0] } }).to_string();
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.into_bytes());
        let file = TensorFile::parse(&path(), bytes).unwrap();
        let network = models::find("lenet300").unwrap().network([1, 8, 8], 10).unwrap();
        state_dict::read::<f32>(&file, &network).unwrap_err()
    };
    assert!(matches!(mismatch, Error::StateDict { .. }));
    vec![
        Error::shape("conv2d", owned(), owned(), owned()),
        Error::domain(owned(), owned(), owned()),
        Error::file(path(), owned(), owned(), owned()),
        mismatch,
        Error::io(path(), "read")(io_error()),
        Error::Output { source: io_error() },
        Error::non_finite(owned(), (1, 2), owned()),
        Error::Fetch { place: owned(), expected: owned(), found: owned(), remedy: owned() },
        Error::Interrupted { epoch: 3 },
        Error::InterruptedStage { stage: owned(), epoch: 3 },
        #[cfg(feature = "cuda")]
        Error::Device(gdstar::error::DeviceError::Failed { action: owned(), found: owned() }),
        #[cfg(feature = "cuda")]
        Error::Device(gdstar::error::DeviceError::Refused { place: owned(), expected: owned(), found: owned() }),
    ]
}

/// How long a variant's message may be. A new variant does not compile here until it has its line.
fn longest(error: &Error) -> usize {
    match error {
        Error::Shape { .. } | Error::Domain { .. } | Error::Output { .. } => LONGEST,
        Error::Interrupted { .. } | Error::InterruptedStage { .. } => LONGEST,
        Error::NonFinite { .. } => LONGEST + 120, // what usually helps
        Error::File { .. } | Error::StateDict { .. } | Error::Io { .. } => LONGEST + LONGEST_PATH,
        Error::Fetch { .. } => 3 * LONGEST, // an answer of each address
        #[cfg(feature = "cuda")]
        Error::Device(_) => LONGEST,
    }
}

#[test]
fn every_message_is_one_plain_line() {
    for text in hostile() {
        for error in with(&text) {
            let told = error.to_string();
            let is_plain = |c: char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{202e}');
            assert!(told.chars().all(is_plain), "{told:?}");
            assert!(told.len() <= longest(&error), "{} bytes: {told}", told.len());
        }
    }
}

/// What is short stays whole beside what is long, and of that its beginning and its end are shown.
#[test]
fn long_parts_give_way_to_short_ones() {
    let found = format!("begin{}end", "x".repeat(1000));
    let told = Error::file("a.toml", "line 3", "a number", found).to_string();
    assert!(told.starts_with("a.toml: line 3: expected a number, found begin"), "{told}");
    assert!(told.ends_with("end") && told.contains(" .. "), "{told}");
    let list = (0..30).map(|i| format!("choice{i}")).collect::<Vec<_>>().join(", ");
    assert!(Error::domain("--choice", &list, "x").to_string().contains(&list), "the program's own words stay");
    let named = Error::file(Path::new(&"p/".repeat(3000)).join("weights.safetensors"), "header", "one", "none");
    assert!(named.to_string().contains("weights.safetensors: header: "), "a file's own name is what tells it");
}

/// A run that fails is told apart from a wrong option, also where the system is what fails it.
#[test]
fn a_full_disk_is_a_failed_run() {
    let code = |action, kind: io::ErrorKind| Error::io("x", action)(kind.into()).exit_code();
    assert_eq!(code("write", io::ErrorKind::StorageFull), 1);
    assert_eq!(code("sync", io::ErrorKind::Other), 1);
    assert_eq!(code("create a temporary file beside", io::ErrorKind::QuotaExceeded), 1);
    assert_eq!(code("create a temporary file beside", io::ErrorKind::PermissionDenied), 2);
    assert_eq!(code("read", io::ErrorKind::NotFound), 2);
}
