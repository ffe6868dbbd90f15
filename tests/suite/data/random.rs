//! Streams, draws and orders are the same everywhere: pinned against an independent ChaCha8 with 64-bit integers
//! written out, and uniform by construction.

use super::bounds::SIX_DEVIATIONS_OF_1000;
use gdstar::data::epoch_order;
use gdstar::random::{Purpose, stream, uniform, unit};
use proptest::prelude::*;
use rand::RngCore;
use std::collections::BTreeSet;

/// A generator that gives the numbers it was planted with, then panics.
struct Planted(Vec<u64>);

impl RngCore for Planted {
    fn next_u32(&mut self) -> u32 {
        unreachable!("draws are of 64 bits")
    }
    fn next_u64(&mut self) -> u64 {
        self.0.remove(0)
    }
    fn fill_bytes(&mut self, _: &mut [u8]) {
        unreachable!("draws are of 64 bits")
    }
}

#[test]
fn a_stream_is_pinned() {
    let mut rng = stream(0x0123_4567_89ab_cdef, Purpose::RandomRewind, 3);
    let expected = [0xaf62_e16e_2c40_c8f7, 0xa85f_246c_cda0_253e, 0xba67_4dc1_dcd6_8e8f, 0xb7e3_096f_2291_c9fa];
    assert_eq!(expected.map(|_| rng.next_u64()), expected);
}

#[test]
fn purposes_keep_their_numbers() {
    assert_eq!(Purpose::ALL.map(|purpose| purpose as u64), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
}

#[test]
fn every_seed_purpose_and_epoch_has_its_own_stream() {
    let mut first = BTreeSet::new();
    let seeds = [0, 1, 2, 1 << 32, u64::MAX];
    let epochs = [0, 1, 2, 299, usize::MAX];
    for seed in seeds {
        for purpose in Purpose::ALL {
            for epoch in epochs {
                first.insert(stream(seed, purpose, epoch).next_u64());
            }
        }
    }
    assert_eq!(first.len(), seeds.len() * Purpose::ALL.len() * epochs.len());
}

#[test]
fn an_order_is_pinned() {
    assert_eq!(epoch_order(10, 0, 0), [8, 5, 4, 3, 6, 1, 2, 9, 0, 7]);
    assert_eq!(epoch_order(10, 1, 0), [8, 5, 9, 3, 6, 4, 2, 7, 1, 0]);
    assert_eq!(epoch_order(10, 0, 1), [2, 1, 6, 5, 4, 9, 0, 8, 3, 7]);
    let long = epoch_order(1000, 42, 7);
    assert_eq!(long[..5], [202, 422, 210, 284, 680]);
    assert_eq!(long.iter().enumerate().map(|(i, x)| i * x).sum::<usize>(), 253_428_788);
    assert_eq!((epoch_order(0, 0, 0), epoch_order(1, 0, 0)), (vec![], vec![0]));
}

proptest! {
    #[test]
    fn an_order_is_a_permutation(n in 0_usize..500, seed: u64, epoch: usize) {
        let mut order = epoch_order(n, seed, epoch);
        order.sort_unstable();
        prop_assert_eq!(order, (0..n).collect::<Vec<_>>());
    }

    #[test]
    fn a_uniform_draw_is_below_its_bound(n in 1_u64.., seed: u64) {
        prop_assert!(uniform(&mut stream(seed, Purpose::Order, 0), n) < n);
    }
}

/// All 24 orders of four samples come up equally often.
#[test]
fn every_order_is_as_likely_as_any_other() {
    let mut counts = std::collections::BTreeMap::new();
    for epoch in 0..24_000 {
        *counts.entry(epoch_order(4, 3, epoch)).or_insert(0_u32) += 1;
    }
    assert_eq!(counts.len(), 24);
    assert!(counts.values().all(|count| count.abs_diff(1000) <= SIX_DEVIATIONS_OF_1000), "{counts:?}");
}

/// floor(r n / 2^64), and 2^64 = 1 (mod 3): of the 2^64 draws exactly the one with r n mod 2^64 = 0 is surplus.
#[test]
fn a_uniform_draw_is_exact() {
    let draw = |words: &[u64], n| uniform(&mut Planted(words.to_vec()), n);
    assert_eq!(draw(&[0], 1), 0);
    assert_eq!(draw(&[u64::MAX], 1), 0);
    assert_eq!((draw(&[0], 2), draw(&[(1 << 63) - 1], 2), draw(&[1 << 63], 2)), (0, 0, 1), "the top bit");
    assert_eq!(draw(&[u64::MAX], u64::MAX), u64::MAX - 1);
    let third = u64::MAX / 3; // (2^64 - 1) / 3
    assert_eq!((draw(&[1], 3), draw(&[third], 3), draw(&[third + 1], 3)), (0, 0, 1));
    assert_eq!((draw(&[2 * third], 3), draw(&[2 * third + 1], 3), draw(&[u64::MAX], 3)), (1, 2, 2));
    assert_eq!(draw(&[0, 0, 1 << 63], 3), 1, "0 is the surplus draw: redrawn");
}

#[test]
fn a_unit_draw_is_the_upper_53_bits() {
    let draw = |word| unit(&mut Planted(vec![word]));
    assert_eq!([draw(0), draw((1 << 11) - 1), draw(1 << 63)], [0.0, 0.0, 0.5]);
    assert_eq!(draw(1 << 11), f64::EPSILON / 2.0);
    assert_eq!(draw(u64::MAX), 1.0 - f64::EPSILON / 2.0, "the largest is below 1");
}
