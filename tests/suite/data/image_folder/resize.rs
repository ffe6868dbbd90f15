//! `--image-size`: exact values of the filter, and images of several sizes.

use super::super::fixtures::{encoded, message, write};
use super::{good, read, read_resized, refused};
use gdstar::data::MAX_IMAGE_SIZE;
use gdstar::data::image_folder::fit;
use gdstar::data::{Augmentation, LoadOptions, Source, load_with};
use image::{ImageFormat, Rgb, RgbImage};

/// Four columns onto two: the triangle over the first target pixel, of half-width 2 around 1, has the weights 3/4, 3/4
/// and 1/4 at the centres 1/2, 3/2 and 5/2, of which the sum is 7/4. So 0, 70, 140, 210 become (3 * 70 + 140) / 7 = 50
/// and (70 + 3 * 140 + 3 * 210) / 7 = 160.
#[test]
fn the_filter_is_a_triangle() {
    let columns = RgbImage::from_fn(4, 4, |x, y| Rgb([70 * x as u8, 70 * y as u8, 9]));
    let expected = RgbImage::from_fn(2, 2, |x, y| Rgb([50 + 110 * x as u8, 50 + 110 * y as u8, 9]));
    assert_eq!(fit(columns, 2), expected);
    // Two columns onto four: linear between the centres, constant beyond them.
    let wide = fit(RgbImage::from_fn(2, 1, |x, _| Rgb([100 * x as u8; 3])), 4);
    assert_eq!(wide.pixels().take(4).map(|pixel| pixel[0]).collect::<Vec<_>>(), [0, 25, 75, 100]);
    let same = RgbImage::from_fn(3, 3, |x, y| Rgb([x as u8, y as u8, 200]));
    assert_eq!(fit(same.clone(), 3), same);
}

/// Without a size to give them, images must agree; the first one that does not is named, with the one that decides.
#[test]
fn images_of_different_sizes_are_resized_or_refused() {
    for (name, image) in [("train/cat/b.png", "train/cat/a.png"), ("test/dog/z.png", "train/cat/a.png")] {
        let root = good();
        write(root.path(), name, &encoded(ImageFormat::Png, [6, 8], |_, _| [255, 0, 51]));
        let expected = format!("8 x 8, as ROOT/{image} has (or give --image-size to resize all), found 6 x 8");
        assert_eq!(refused(root.path()), format!("ROOT/{name}: width x height: expected {expected}"));
        let data = read_resized(root.path(), Some(16)).unwrap();
        assert_eq!((data.train.shape, data.test.shape), ([3, 16, 16], [3, 16, 16]));
        assert_eq!((data.train.len(), data.augmentation), (3, Some(Augmentation { padding: 2 })));
    }
    let root = good();
    assert!(read_resized(root.path(), Some(8)).unwrap() == read(root.path()).unwrap());
}

/// Images that are not square keep their proportions; the padding goes by the smaller side.
#[test]
fn images_need_not_be_square() {
    let root = good();
    for name in ["train/cat/a.png", "train/cat/b.png", "train/dog/a.png", "test/cat/z.png", "test/dog/z.png"] {
        write(root.path(), name, &encoded(ImageFormat::Png, [24, 16], |x, y| [x as u8, y as u8, 0]));
    }
    let data = read(root.path()).unwrap();
    assert_eq!((data.train.shape, data.augmentation), ([3, 16, 24], Some(Augmentation { padding: 2 })));
    let image = data.train.image(0);
    assert_eq!((&image[..3], &image[24 * 16 + 23..][..2]), (&[0, 1, 2][..], &[0, 1][..]), "rows of 24, plane by plane");
}

#[test]
fn an_image_size_must_make_sense() {
    let root = good();
    for size in [0, MAX_IMAGE_SIZE + 1, usize::MAX] {
        let expected = format!("--image-size: expected 1 to 1024, found {size}");
        assert_eq!(message(read_resized(root.path(), Some(size)), "the size"), expected);
    }
    for source in [Source::Digits, Source::Mnist, Source::Cifar10] {
        let options = LoadOptions { image_size: Some(8), ..LoadOptions::default() };
        let message = message(load_with(source, Some(root.path()), options), "a size");
        let expected = format!("--image-size: expected none with {source}, whose images have one size");
        assert_eq!(message, format!("{expected} (image-folder only), found 8"));
    }
}
