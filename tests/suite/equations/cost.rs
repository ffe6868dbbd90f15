//! Eq. 10 and 11.

use crate::common::equations::{bounds, same_bits};
use gdstar::paper::cost::{computation_saving, memory_saving};

/// ResNet18's weights, as section A.4 counts them.
const N: usize = 11_173_114;

pub fn check_eq10(saving: impl Fn(usize, usize) -> f64) -> Result<(), String> {
    same_bits("one chunk saves nothing", saving(N, 1), 0.0)?;
    same_bits("N = 16, C = 4", saving(16, 4), 50.0)?;
    same_bits("chunks of one weight need no sort", saving(N, N), 100.0)?;
    let percent = saving(N, 16);
    let close = (percent - 17.08).abs() <= bounds::printed(2);
    if close { Ok(()) } else { Err(format!("section A.4: got {percent}, expected 17.08")) }
}

pub fn check_eq11(saving: impl Fn(usize) -> f64) -> Result<(), String> {
    same_bits("one chunk saves nothing", saving(1), 0.0)?;
    same_bits("section A.4, over 93 %", saving(16), 93.75)
}

#[test]
fn eq10_gives_the_papers_17_percent() {
    check_eq10(|n, chunks| computation_saving(n, chunks).unwrap()).unwrap();
}

#[test]
fn eq11_gives_the_papers_93_percent() {
    check_eq11(|chunks| memory_saving(chunks).unwrap()).unwrap();
}

#[test]
fn eq10_and_11_agree_in_f32() {
    assert_eq!(computation_saving::<f32>(N, 16).unwrap(), computation_saving::<f64>(N, 16).unwrap() as f32);
    assert_eq!(memory_saving::<f32>(16).unwrap(), 93.75);
}

#[test]
fn eq10_and_11_reject_what_they_cannot_divide() {
    for (n, chunks) in [(0, 1), (1, 1), (16, 0), (16, 17)] {
        assert!(computation_saving::<f64>(n, chunks).is_err(), "N = {n}, C = {chunks}");
    }
    assert!(memory_saving::<f64>(0).is_err());
}
