//! CIFAR-10 out of its archive: the same data as from the files, and every way an archive can be wrong.

use super::cifar10::{FILES, good, record};
use super::fixtures::{TAR_END, gzip, message, tar_header, tar_member, write};
use gdstar::data::cifar10::archive::unpack;
use gdstar::data::{Dataset, Source, cifar10, load};
use std::path::Path;
use tempfile::TempDir;

const ARCHIVE: &str = "cifar-10-binary.tar.gz";
const FOLDER: &str = "cifar-10-batches-bin/";

/// The content of file f, as [`good`] writes it.
fn content(f: u8) -> Vec<u8> {
    [record(f, [f, 10, 255]), record(f, [f, 11, 255])].concat()
}

/// The six members with their names changed by `rename`.
fn members(rename: impl Fn(&str) -> String) -> Vec<Vec<u8>> {
    (0..).zip(FILES).map(|(f, name)| tar_member(&rename(name), &content(f))).collect()
}

fn official() -> Vec<Vec<u8>> {
    members(|name| format!("{FOLDER}{name}"))
}

fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    gzip(&[&members.concat()[..], &TAR_END].concat())
}

fn refused(packed: &[u8]) -> String {
    message(unpack(Path::new("a"), packed), "the archive")
}

fn read(root: &Path) -> gdstar::Result<Dataset> {
    load(Source::Cifar10, Some(root))
}

/// From a folder that holds the archive, from the archive itself by another name, with members at the top, in another
/// order, or among others: the data, and so their fingerprint, are those of the six files.
#[test]
fn an_archive_gives_the_same_data_as_its_files() {
    let root = TempDir::new().unwrap();
    good(root.path());
    let expected = read(root.path()).unwrap();
    let mut backwards = official();
    backwards.reverse();
    let mut among_others = official();
    among_others.insert(0, tar_header(FOLDER, 0, b'5').to_vec());
    among_others.insert(3, tar_member(&format!("{FOLDER}batches.meta.txt"), b"airplane\n"));
    among_others.insert(5, tar_member("other/test_batch.bin", b"another one"));
    among_others.insert(7, tar_member("a/cifar-10-batches-bin/test_batch.bin", b"deeper"));
    // An extended header: what it says of the next member's name and size is not heard.
    let attributes = b"12 size=123\n30 path=data_batch_9.bin\n";
    among_others.insert(4, [&tar_header("x", 36, b'x')[..], &attributes[..36], &[0; 476]].concat());
    let at_the_top = members(|name| format!("./{name}"));
    for members in [official(), backwards, among_others, at_the_top] {
        let root = TempDir::new().unwrap();
        let path = write(root.path(), ARCHIVE, &archive(&members));
        assert!(read(root.path()).unwrap() == expected);
        let renamed = root.path().join("cifar.tgz");
        std::fs::rename(path, &renamed).unwrap();
        assert!(read(&renamed).unwrap() == expected);
    }
}

/// Reading files is faster, and they are the same data.
#[test]
fn files_are_read_before_an_archive() {
    let root = TempDir::new().unwrap();
    write(root.path(), ARCHIVE, b"not looked at");
    let message = message(read(root.path()), "no archive");
    assert!(message.starts_with(&format!("{}: after the start: ", root.path().join(ARCHIVE).display())), "{message}");
    good(&root.path().join("cifar-10-batches-bin"));
    read(root.path()).unwrap();
}

#[test]
fn a_missing_or_repeated_member_is_named() {
    for (i, name) in FILES.into_iter().enumerate() {
        let mut lacking = official();
        let member = lacking.remove(i);
        let expected = format!("a: archive: expected a member {FOLDER}{name}, found none");
        assert_eq!(refused(&archive(&lacking)), expected);
        let repeated = [official(), vec![member]].concat();
        let expected = format!("a/{FOLDER}{name}: member: expected one {name}, found a second");
        assert_eq!(refused(&archive(&repeated)), expected);
        let at_the_top = [official(), vec![tar_member(name, &content(0))]].concat();
        assert_eq!(refused(&archive(&at_the_top)), format!("a/{name}: member: expected one {name}, found a second"));
    }
    assert_eq!(refused(&gzip(&TAR_END)), format!("a: archive: expected a member {FOLDER}{}, found none", FILES[0]));
    assert_eq!(refused(&gzip(&[])), format!("a: archive: expected a member {FOLDER}{}, found none", FILES[0]));
}

/// A fault in a member is told as in a file, with the archive's and the member's name.
#[test]
fn a_fault_in_a_member_is_named() {
    let with = |i: usize, member: Vec<u8>| {
        let mut members = official();
        members[i] = member;
        archive(&members)
    };
    let name = format!("{FOLDER}{}", FILES[2]);
    let cases = [
        (tar_member(&name, &record(10, [1; 3])), "record 0 at byte 0, label: expected 0 to 9, found 10"),
        (tar_member(&name, &content(2)[..3072]), "record 0 at byte 0: expected 3073 bytes, found 3072"),
        (tar_member(&name, &[]), "record 0 at byte 0: expected 3073 bytes, found 0"),
        (tar_header(&name, 0, b'5').to_vec(), "header: expected an ordinary file, found type `5`"),
        (tar_header(&name, 0, b'2').to_vec(), "header: expected an ordinary file, found type `2`"),
        (tar_header(&name, 0, b'S').to_vec(), "header: expected an ordinary file, found type `S`"),
    ];
    for (member, expected) in cases {
        assert_eq!(refused(&with(2, member)), format!("a/{name}: {expected}"));
    }
    let root = TempDir::new().unwrap();
    let path = write(root.path(), ARCHIVE, &with(2, tar_member(&name, &content(2)[..3073])));
    let expected = "number of records: expected 2 records, as many as in data_batch_1.bin, found 1";
    assert_eq!(message(read(root.path()), "a short file"), format!("{}/{name}: {expected}", path.display()));

    let mut damaged = official();
    damaged[2][0] = b'x';
    let expected = "expected an intact gzipped tar archive, found archive header checksum mismatch";
    assert_eq!(refused(&archive(&damaged)), format!("a: after member {FOLDER}{}: {expected}", FILES[1]));
}

/// A header's claim is not believed: no memory is set aside for 8 GiB, and what is missing is told.
#[test]
fn a_huge_claim_is_an_error() {
    let largest = 0o77_777_777_777_u64; // eleven octal digits
    let name = format!("{FOLDER}{}", FILES[5]);
    let claimed = |name: &str| [&official()[..5].concat()[..], &tar_header(name, largest, b'0'), &content(5)].concat();
    let expected = format!("content: expected {largest} bytes, as its header says, found 6146");
    assert_eq!(refused(&gzip(&claimed(&name))), format!("a/{name}: {expected}"));
    let expected = "expected an intact gzipped tar archive, found unexpected EOF during skip";
    assert_eq!(refused(&gzip(&claimed("other"))), format!("a: after member other: {expected}"));
}

/// The stream may not unpack to more than a gibibyte, wherever the surplus is.
#[test]
fn a_gzip_bomb_is_refused() {
    let mebibytes_16 = gzip(&vec![0; 1 << 24]);
    let bomb = [archive(&official()), mebibytes_16.repeat(64)].concat();
    assert!(bomb.len() < 2 << 20, "{}", bomb.len());
    assert_eq!(refused(&bomb), "a: unpacked size: expected at most 268435456 bytes, found more");
}

/// Cut at every byte, the packed archive is refused, and by name; so it is with a byte after its end.
#[test]
fn an_archive_cut_anywhere_is_an_error() {
    let packed = archive(&official());
    unpack(Path::new("a"), &packed[..]).unwrap();
    for length in 0..packed.len() {
        let message = refused(&packed[..length]);
        assert!(
            message.starts_with("a: after ") || message.starts_with("a/cifar-10-batches-bin/"),
            "{length}: {message}"
        );
        assert!(message.ends_with(", found its end"), "{length}: {message}");
    }
    assert!(refused(&[&packed[..], &[0]].concat()).starts_with("a: after the last member: "));
    let mut other_checksum = packed.clone();
    let crc = packed.len() - 8;
    other_checksum[crc] ^= 1;
    assert!(refused(&other_checksum).starts_with("a: after the last member: "));
}

/// The same for the tar archive inside, whose end marker alone can be missed without harm.
#[test]
fn a_tar_archive_cut_in_a_member_is_an_error() {
    let members = official().concat();
    for length in (0..members.len()).step_by(97).chain([members.len() - 1]) {
        refused(&gzip(&members[..length]));
    }
    let files = unpack(Path::new("a"), &gzip(&members)[..]).unwrap();
    let expected = cifar10::parse(Path::new("f"), &content(5)).unwrap();
    assert!(files[5].images == expected && files[5].path == Path::new("a").join(FOLDER).join(FILES[5]));
}
