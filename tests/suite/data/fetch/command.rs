//! `gdstar data` as a user meets it.

use super::server::{Reply, Server};
use super::{Download, content, data_set, names, published};
use crate::cli::{assert_fails, gdstar, text};
use gdstar::data::fetch::{Event, Fetch, Fetchable};
use std::collections::HashSet;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The first file of MNIST, the first that `fetch mnist` asks for.
pub const FIRST: &str = "train-images-idx3-ubyte.gz";
pub const FIRST_SIZE: usize = 9_912_422;

/// `gdstar data fetch mnist` from a mirror into a folder, as a command that no proxy disturbs.
pub fn fetch_mnist(mirror: &str, folder: &str) -> [String; 8] {
    ["data", "fetch", "mnist", "--mirror", mirror, "--to", folder, "--attempts=1"].map(String::from)
}

/// What is known is complete, consistent, and all listed.
#[test]
fn the_list_has_every_file_sum_and_address() {
    let output = gdstar(&["data", "list"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    // Whatever the lines are broken at.
    let told = text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    for name in Fetchable::ALL {
        let set = name.data_set();
        assert!(told.contains(&set.title) && told.contains(&set.licence), "{name}");
        assert_eq!(set.name, name.name());
        for file in &set.files {
            assert!(told.contains(&format!("{}, {} bytes, SHA-256 {}", file.name, file.size, file.sha256)), "{told}");
            assert!(file.sha256.len() == 64 && file.sha256.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')));
            assert_eq!(file.sources.iter().collect::<HashSet<_>>().len(), file.sources.len());
            for source in &file.sources {
                assert!(source.starts_with("http") && source.ends_with(&format!("/{}", file.name)), "{source}");
                assert!(told.contains(source.as_str()), "{source}");
            }
        }
        if let Some(archive) = set.archive {
            assert!(set.files.iter().any(|file| file.name == archive.name));
        }
    }
    let sums: HashSet<String> =
        Fetchable::ALL.iter().flat_map(|name| name.data_set().files).map(|file| file.sha256).collect();
    assert_eq!(sums.len(), 4 + 1 + 1, "MNIST's four files, one each of the others");
}

/// Mirrors replace the official addresses, in their order, with or without the last slash.
#[test]
fn mirrors_replace_the_official_addresses() {
    let mirrors = ["http://a/x/".to_string(), "https://b".to_string()];
    let set = Fetchable::Mnist.data_set().at_mirrors(&mirrors).unwrap();
    assert_eq!(set.files[0].sources, [format!("http://a/x/{FIRST}"), format!("https://b/{FIRST}")]);
    let official = Fetchable::Mnist.data_set();
    assert_eq!(official.clone().at_mirrors(&[]).unwrap(), official);
}

/// Wrong options are 2, a network or server that fails is 1; one line each.
#[test]
fn failures_have_one_line_and_their_exit_code() {
    for wrong in ["ftp://host/", "host/folder", "", "http://", "http://a b/"] {
        assert_fails(&["data", "fetch", "mnist", "--mirror", wrong], 2, &["--mirror", "https://host/folder/", wrong]);
    }
    assert_fails(&["data", "fetch", "letters"], 2, &["letters", "mnist", "cifar10", "tiny-imagenet"]);
    assert_fails(&["data", "fetch", "mnist", "--attempts", "0"], 2, &["--attempts", "'0'"]);
    assert_fails(&["data", "fetch", "mnist", "--timeout", "0"], 2, &["--timeout", "'0'"]);
    assert!(gdstar(&["data", "fetch", "--help"]).status.success());

    let server = Server::start(|_, _| Reply::status("404 Not Found"));
    let folder = tempfile::tempdir().unwrap();
    let arguments = fetch_mnist(&server.url(), folder.path().to_str().unwrap());
    let parts = [FIRST, "expected HTTP status 200, found 404 Not Found", "--mirror"];
    assert_fails(&arguments.each_ref().map(String::as_str), 1, &parts);
    assert_eq!(names(&folder.path().join("mnist")), [""; 0]);
}

/// A file of the right size that is not the published one: the command names it, both sums and the option.
#[test]
fn a_wrong_file_is_named_with_both_sums() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mnist")).unwrap();
    std::fs::write(folder.path().join("mnist").join(FIRST), vec![0; FIRST_SIZE]).unwrap();
    let arguments = fetch_mnist("http://127.0.0.1:9/", folder.path().to_str().unwrap());
    let expected = &Fetchable::Mnist.data_set().files[0].sha256;
    let parts = [FIRST, "SHA-256", expected.as_str(), "--force", &super::sha256(&vec![0; FIRST_SIZE])];
    assert_fails(&arguments.each_ref().map(String::as_str), 2, &parts);
}

/// An interruption ends the download where it is: the partial file stays, and the message says how to go on.
#[test]
fn an_interruption_keeps_the_partial_file() {
    let bytes = content(300_000);
    let served = bytes.clone();
    let server = Server::start(move |_, request| Reply::asked(request, &served));
    let set = data_set(vec![published("file.bin", &bytes, &[&server.url()])]);
    let mut download = Download::new();
    let stop = AtomicBool::new(false);
    let mut arrived = 0;
    let mut tell = |event: Event<'_>| {
        if let Event::At(position) = event {
            arrived = position;
            stop.store(true, Ordering::Relaxed);
        }
    };
    let error = Fetch { network: super::impatient(), replace: false, stop: &stop, tell: &mut tell }
        .run(&set, download.root.path())
        .unwrap_err();
    let told = format!("expected 300000 bytes, found {arrived} when interrupted; the same command continues");
    super::assert_contains(&error.to_string(), &["file.bin.part", &told]);
    assert_eq!(error.exit_code(), 1);
    assert!(arrived > 0 && arrived < 300_000, "{arrived}");
    assert_eq!(std::fs::read(download.path("file.bin.part")).unwrap(), bytes[..arrived as usize]);
    download.run(&set).unwrap();
    assert_eq!(server.requests()[1].offset(), Some(arrived as usize));
}

/// Ctrl-C, sent to the real command while a server is silent.
#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_partial_file() {
    let server = Server::start(|_, _| Reply::whole(&vec![0; FIRST_SIZE]).cut(100_000).stalling());
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = fetch_mnist(&server.url(), folder.path().to_str().unwrap()).to_vec();
    arguments.extend(["--timeout=1", "--attempts=2"].map(String::from));
    arguments.remove(7);
    let child = start(&arguments);
    let part = folder.path().join("mnist").join(format!("{FIRST}.part"));
    let deadline = Instant::now() + Duration::from_secs(30);
    while std::fs::metadata(&part).map_or(0, |metadata| metadata.len()) < 100_000 {
        assert!(Instant::now() < deadline, "the first bytes never came");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let told = text(&output.stderr);
    assert_eq!((output.status.code(), told.lines().count()), (Some(1), 1), "{told}");
    super::assert_contains(&told, &["found 100000 when interrupted; the same command continues"]);
    assert_eq!(std::fs::metadata(&part).unwrap().len(), 100_000);
    assert_eq!(server.requests().len(), 1);
}

/// The first Ctrl-C is enough, also where a server has not even begun to answer and may take ten minutes for it.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_wait_for_an_answer() {
    let server = Server::start(|_, _| Reply::silence());
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = fetch_mnist(&server.url(), folder.path().to_str().unwrap()).to_vec();
    arguments.push("--timeout=600".to_string());
    let child = start(&arguments);
    let begun = Instant::now();
    while server.requests().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(30), "nothing was asked");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let told = text(&output.stderr);
    assert_eq!((output.status.code(), told.lines().count()), (Some(1), 1), "{told}");
    super::assert_contains(&told, &["found 0 when interrupted"]);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// The command in a process of its own, without the proxies of the environment.
pub fn start(arguments: &[String]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gdstar"));
    without_proxies(&mut command).args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Takes the proxies out of a command's environment.
pub fn without_proxies(command: &mut Command) -> &mut Command {
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command
}
