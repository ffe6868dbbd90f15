//! `--channels`: images as red, green and blue, or as grey.

use super::super::fixtures::{encode, message, write};
use super::{good, read};
use crate::cli::{assert_fails, gdstar};
use gdstar::data::image_folder::{fit, grey};
use gdstar::data::{Dataset, LoadOptions, Source, load_with};
use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use std::path::Path;

fn read_grey(root: &Path, image_size: Option<usize>) -> Dataset {
    let options = LoadOptions { channels: Some(1), image_size, ..LoadOptions::default() };
    load_with(Source::ImageFolder, Some(root), options).unwrap()
}

/// Grey images keep their values in one plane, which is each of the three that they have otherwise.
#[test]
fn grey_images_are_one_plane() {
    let root = good();
    let image = |seed: u8| GrayImage::from_fn(8, 8, |x, y| Luma([(31 * x + 7 * y) as u8 ^ seed]));
    for (seed, name) in (0..).zip(["train/cat/a", "train/cat/b", "train/dog/a", "test/cat/z", "test/dog/z"]) {
        write(root.path(), &format!("{name}.png"), &encode(&image(seed).into(), ImageFormat::Png));
    }
    for image_size in [None, Some(5)] {
        let found = read_grey(root.path(), image_size);
        let three = LoadOptions { image_size, ..LoadOptions::default() };
        let three = load_with(Source::ImageFolder, Some(root.path()), three).unwrap();
        let side = image_size.unwrap_or(8);
        assert_eq!((found.train.shape, three.train.shape), ([1, side, side], [3, side, side]));
        assert_eq!((&found.train.labels, found.normalisation.mean.len()), (&three.train.labels, 1));
        assert_eq!(found.normalisation.mean[0], three.normalisation.mean[2]);
        for i in 0..3 {
            assert_eq!([found.train.image(i); 3].concat(), three.train.image(i));
        }
        assert_ne!(found.fingerprint(), three.fingerprint());
    }
}

/// Colour becomes luma as Pillow's `convert("L")` has it: these values are Pillow's.
#[test]
fn colours_become_luma() {
    let luma = |colour: [u8; 3]| grey(&RgbImage::from_pixel(1, 1, Rgb(colour))).into_raw()[0];
    assert_eq!([[255, 0, 0], [0, 255, 0], [0, 0, 255]].map(luma), [76, 150, 29]);
    assert_eq!([[1, 2, 3], [200, 100, 50], [255, 255, 254]].map(luma), [2, 124, 255]);
    assert!((0..=255).all(|value| luma([value; 3]) == value));
    assert_eq!(fit(GrayImage::from_pixel(3, 2, Luma([9])), 4), GrayImage::from_pixel(4, 4, Luma([9])));
}

/// The number is part of the run, and a network of one channel is evaluated on a folder.
#[test]
fn a_run_keeps_its_channels() {
    let (root, out) = (good(), tempfile::tempdir().unwrap());
    let (data, run) = (root.path().to_str().unwrap(), out.path().join("run"));
    let run = run.to_str().unwrap();
    let whole = ["train", "--model", "lenet300", "--data", "image-folder", "--data-dir", data, "--epochs", "1"];
    let trained = gdstar(&[&whole[..], &["--channels", "1", "--out", run]].concat());
    assert!(trained.status.success(), "{trained:?}");
    assert!(std::fs::read_to_string(format!("{run}/config.toml")).unwrap().contains("channels = 1"));
    assert!(gdstar(&["train", "--out", run, "--resume"]).status.success());
    assert!(gdstar(&["evaluate", run]).status.success());
    let expected = "channels: expected 1, as the network was trained on, found 3";
    assert_fails(&["evaluate", run, "--channels", "3"], 2, &[expected]);
    assert_fails(&[&whole[..], &["--channels", "2"]].concat(), 2, &["--channels: expected 1 (grey) or 3", "found 2"]);
    let digits = ["train", "--model", "lenet300", "--data", "digits", "--channels", "1"];
    assert_fails(&digits, 2, &["--channels: expected none with digits", "found 1"]);
    let four = LoadOptions { channels: Some(4), ..LoadOptions::default() };
    let told = message(load_with(Source::ImageFolder, Some(root.path()), four), "four");
    assert_eq!(told, "--channels: expected 1 to 3, found 4");
    assert_eq!(read(root.path()).unwrap().train.shape, [3, 8, 8]);
}
