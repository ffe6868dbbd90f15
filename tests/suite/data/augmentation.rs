//! The random crop and flip, against its definition: pad, cut, mirror.

use super::bounds::SIX_DEVIATIONS_OF_1000;
use gdstar::data::{Augmentation, Crop, Images, Split};
use gdstar::random::{Purpose, stream};
use proptest::prelude::*;

/// The definition in three steps on a [c,h,w] image, with the padded image written out.
fn pad_cut_mirror(padding: usize, crop: Crop, [c, h, w]: [usize; 3], pixels: &[u8]) -> Vec<u8> {
    let mut padded = vec![vec![vec![0; w + 2 * padding]; h + 2 * padding]; c];
    for (i, &pixel) in pixels.iter().enumerate() {
        padded[i / (h * w)][i / w % h + padding][i % w + padding] = pixel;
    }
    let mut out = Vec::new();
    for channel in &padded {
        for row in &channel[crop.top..][..h] {
            let mut row = row[crop.left..][..w].to_vec();
            if crop.flipped {
                row.reverse();
            }
            out.extend(row);
        }
    }
    out
}

proptest! {
    #[test]
    fn a_crop_is_pad_cut_mirror(
        shape in prop::array::uniform3(1_usize..6), padding in 0_usize..8,
        offsets: [prop::sample::Index; 2], flipped: bool, seed: u8,
    ) {
        let pixels: Vec<u8> = (0..shape.iter().product()).map(|i: usize| (i as u8).wrapping_mul(31) ^ seed).collect();
        let [top, left] = offsets.map(|offset| offset.index(2 * padding + 1));
        let crop = Crop { top, left, flipped };
        let expected = pad_cut_mirror(padding, crop, shape, &pixels);
        prop_assert_eq!(Augmentation { padding }.apply(crop, shape, &pixels), expected);
    }
}

#[test]
fn a_planted_image_moves_as_drawn_by_hand() {
    let pixels = [
        1, 2, 3, //
        4, 5, 6, //
        7, 8, 9,
    ];
    let crop = |top, left, flipped| Augmentation { padding: 1 }.apply(Crop { top, left, flipped }, [1, 3, 3], &pixels);
    assert_eq!(crop(1, 1, false), pixels);
    assert_eq!(crop(1, 1, true), [3, 2, 1, 6, 5, 4, 9, 8, 7]);
    assert_eq!(crop(0, 0, false), [0, 0, 0, 0, 1, 2, 0, 4, 5], "down and right");
    assert_eq!(crop(2, 2, false), [5, 6, 0, 8, 9, 0, 0, 0, 0], "up and left");
    assert_eq!(crop(0, 2, true), [0, 0, 0, 0, 3, 2, 0, 6, 5], "down and left, then mirrored");
}

/// The draws in the documented order, computed by an independent ChaCha8: changing the order, the range or the
/// stream changes every augmented run.
#[test]
fn draws_are_pinned() {
    let mut rng = stream(9, Purpose::Augmentation, 2);
    let drawn: Vec<_> = (0..4).map(|_| Augmentation { padding: 4 }.draw(&mut rng)).collect();
    let expected = [(4, 4), (3, 3), (1, 4), (2, 6)].map(|(top, left)| Crop { top, left, flipped: false });
    assert_eq!(drawn, expected);
}

/// Every one of the 9 x 9 x 2 crops comes up, as often as chance has it.
#[test]
fn every_crop_is_drawn() {
    let mut rng = stream(0, Purpose::Augmentation, 0);
    let mut counts = [0_u32; 162];
    let draws = 162 * 1000;
    for _ in 0..draws {
        let Crop { top, left, flipped } = Augmentation { padding: 4 }.draw(&mut rng);
        counts[(top * 9 + left) * 2 + usize::from(flipped)] += 1;
    }
    assert!(counts.iter().all(|&count| count.abs_diff(1000) <= SIX_DEVIATIONS_OF_1000), "{counts:?}");
}

/// A batch draws image by image in its order, from the training images as they are, and normalises afterwards: the
/// padding is a black pixel, not a zero input.
#[test]
fn a_batch_is_augmented_image_by_image() {
    let images = Images { shape: [1, 3, 3], pixels: (1..28).collect(), labels: vec![0, 1, 2] };
    let mut data = super::batch::dataset(images);
    data.augmentation = Some(Augmentation { padding: 1 });
    let (mut rng, mut same) = (stream(1, Purpose::Augmentation, 0), stream(1, Purpose::Augmentation, 0));
    let (x, labels) = data.batch::<f64>(Split::Train, &[2, 0, 2], Some(&mut rng));
    let expected: Vec<f64> = [2, 0, 2]
        .into_iter()
        .flat_map(|i| pad_cut_mirror(1, Augmentation { padding: 1 }.draw(&mut same), [1, 3, 3], data.train.image(i)))
        .map(|pixel| (f64::from(pixel) / 16.0 - 0.5) / 0.25)
        .collect();
    assert_eq!((x.shape(), labels), (&[3, 1, 3, 3][..], vec![2, 0, 2]));
    assert_eq!(x.into_iter().collect::<Vec<f64>>(), expected);
    assert_eq!(rng, same, "as many draws");

    data.augmentation = None;
    let plain = data.batch::<f64>(Split::Train, &[1], None);
    assert_eq!(data.batch::<f64>(Split::Train, &[1], Some(&mut rng)), plain);
    assert_eq!(rng, same, "no draw without an augmentation");
}
