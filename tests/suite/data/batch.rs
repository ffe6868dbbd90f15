//! From bytes to a network's input, and the data's fingerprint.

use gdstar::data::{Dataset, Images, Normalisation, Source, Split, load, numbered};
use gdstar::scalar::{DoubleDouble, Scalar};

/// A data set around `train` whose normalisation is exact: x = (pixel / 16 - 1/2) / (1/4) = pixel / 4 - 2.
pub fn dataset(train: Images) -> Dataset {
    let channels = train.shape[0];
    let test = Images { shape: train.shape, pixels: vec![0; train.shape.iter().product()], labels: vec![0] };
    let normalisation = Normalisation { scale: 16.0, mean: vec![0.5; channels], std: vec![0.25; channels] };
    Dataset { name: "test", train, test, classes: numbered(10), normalisation, augmentation: None }
}

/// Two images of two channels of 1 x 2 pixels.
fn small() -> Dataset {
    dataset(Images { shape: [2, 1, 2], pixels: vec![0, 4, 8, 12, 16, 1, 2, 3], labels: vec![7, 5] })
}

#[test]
fn a_batch_is_exact_in_the_order_asked_for() {
    let mut data = small();
    data.normalisation.mean[1] = 0.0; // the second channel: pixel / 4
    let (x, labels) = data.batch::<f32>(Split::Train, &[1, 0, 1], None);
    assert_eq!((x.shape(), labels), (&[3, 2, 1, 2][..], vec![5, 7, 5]));
    let (first, second) = ([-2.0, -1.0, 2.0, 3.0], [2.0, -1.75, 0.5, 0.75]);
    assert_eq!(x.into_iter().collect::<Vec<f32>>(), [second, first, second].concat());
    let (x, labels) = data.batch::<f64>(Split::Test, &[], None);
    assert_eq!((x.shape(), labels.len()), (&[0, 2, 1, 2][..], 0));
}

/// Every number system gets the f64 value, rounded once.
#[test]
fn a_batch_is_rounded_once() {
    let data = load(Source::Digits, None).unwrap();
    let indices: Vec<usize> = (0..100).collect();
    let single = data.batch::<f32>(Split::Test, &indices, None).0;
    let double = data.batch::<f64>(Split::Test, &indices, None).0;
    let truth = data.batch::<DoubleDouble>(Split::Test, &indices, None).0;
    for ((&x32, &x64), &x) in single.iter().zip(&double).zip(&truth) {
        assert_eq!((x32.to_bits(), x), ((x64 as f32).to_bits(), DoubleDouble::from_f64(x64)));
    }
    let formula = |pixel: u8| (f64::from(pixel) / 16.0 - 0.3051) / 0.3762;
    assert!(double.iter().zip(&data.test.pixels).all(|(x, &pixel)| x.to_bits() == formula(pixel).to_bits()));
}

#[test]
fn a_source_is_known_by_name() {
    for (source, name) in [
        (Source::Digits, "digits"),
        (Source::Mnist, "mnist"),
        (Source::Cifar10, "cifar10"),
        (Source::ImageFolder, "image-folder"),
    ] {
        assert_eq!((name.parse::<Source>().unwrap(), source.to_string().as_str()), (source, name));
    }
    let expected = "data: expected digits | mnist | cifar10 | image-folder, found `MNIST`";
    assert_eq!(super::fixtures::message("MNIST".parse::<Source>(), "MNIST"), expected);
}

#[test]
fn a_dataset_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Dataset>();
}

/// The digits' fingerprint, computed by an independent program from the documented bytes. It is stored in checkpoints, and a change would orphan them.
#[test]
fn the_digits_keep_their_fingerprint() {
    let fingerprint = load(Source::Digits, None).unwrap().fingerprint();
    assert_eq!(fingerprint, "cf7d87bc72ee4ce609cec838c243d93d2f658377265bd7a387fc6e12b4296cb7");
}

#[test]
fn any_change_of_the_data_changes_the_fingerprint() {
    let changes: [fn(&mut Dataset); 11] = [
        |_| (),
        |data| data.name = "other",
        |data| data.classes.truncate(9),
        |data| data.train.shape = [1, 2, 2],
        |data| data.train.pixels[7] ^= 1,
        |data| data.train.labels[0] = 6,
        |data| data.train.labels.swap(0, 1),
        |data| std::mem::swap(&mut data.train, &mut data.test),
        |data| data.normalisation.scale = 255.0,
        |data| data.normalisation.mean[1] = 0.25,
        |data| std::mem::swap(&mut data.normalisation.mean, &mut data.normalisation.std),
    ];
    let fingerprints: std::collections::BTreeSet<String> = changes
        .iter()
        .map(|change| {
            let mut data = small();
            change(&mut data);
            data.fingerprint()
        })
        .collect();
    assert_eq!(fingerprints.len(), changes.len());
    assert!(fingerprints.iter().all(|hex| hex.len() == 64));
}
