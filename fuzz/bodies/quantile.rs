//! The quantile: two algorithms, one answer, and the order statistics that pin it.

use super::assert_refusal;
use super::input::Input;
use gdstar::paper::quantile::{
    Rank, chunk_quantiles, chunk_sizes, mean_of_quantiles, quantile_selected, quantile_sorted,
};
use gdstar::paper::reading::{Chunking, QuantileRule};
use gdstar::scalar::Scalar;

/// Byte 0: rule; 1: chunking; 2: C; 3 to 10: alpha; then the numbers, in f32 and in f64.
pub fn run(data: &[u8]) -> bool {
    check::<f32>(data) & check::<f64>(data)
}

fn check<S: Scalar>(data: &[u8]) -> bool {
    let mut input = Input(data);
    let rule = input.choice(QuantileRule::ALL);
    let chunking = input.choice(Chunking::ALL);
    let chunks = input.count();
    let alpha = input.number();
    let values: Vec<S> = input.numbers();

    let promised = !values.is_empty() && values.iter().all(|value| value.is_finite()) && (0.0..=1.0).contains(&alpha);
    let (sorted, selected) = (quantile_sorted(&values, alpha, rule), quantile_selected(&values, alpha, rule));
    match (&sorted, &selected) {
        (Ok(sorted), Ok(selected)) => {
            assert!(promised);
            assert_eq!(bits(*sorted), bits(*selected));
            assert_between_neighbours(&values, alpha, *sorted);
            let reversed: Vec<S> = values.iter().rev().copied().collect();
            assert_eq!(
                bits(quantile_sorted(&reversed, alpha, rule).expect("accepted in another order")),
                bits(*sorted)
            );
        }
        (Err(sorted), Err(selected)) => {
            assert!(!promised);
            assert_eq!(sorted.to_string(), selected.to_string());
            assert_refusal(sorted);
        }
        _ => panic!("{sorted:?} against {selected:?}"),
    }
    assert_chunked(&values, alpha, chunks, chunking, rule, promised);
    promised
}

/// `floor(rank) + 1` values are no larger than the quantile, and at least as many as lie above the rank are no
/// smaller.
fn assert_between_neighbours<S: Scalar>(values: &[S], alpha: f64, quantile: S) {
    let floor = Rank::new(alpha, values.len()).expect("accepted alpha").floor();
    let not_above = values.iter().filter(|&&value| value <= quantile).count();
    let not_below = values.iter().filter(|&&value| value >= quantile).count();
    assert!(not_above > floor, "{not_above} of {} are <= {quantile:?}, rank {floor}", values.len());
    assert!(not_below + floor + 1 >= values.len(), "{not_below} of {} are >= {quantile:?}, rank {floor}", values.len());
}

/// Eq. 6 and 7: every chunk's quantile is its own, one chunk is the whole, and tau lies among them.
fn assert_chunked<S: Scalar>(
    values: &[S],
    alpha: f64,
    chunks: usize,
    chunking: Chunking,
    rule: QuantileRule,
    promised: bool,
) {
    let promised = promised && (1..=values.len()).contains(&chunks);
    match chunk_quantiles(values, alpha, chunks, chunking, rule) {
        Ok(quantiles) => {
            assert!(promised);
            let sizes = chunk_sizes(values.len(), chunks, chunking).expect("accepted chunks");
            assert_eq!((sizes.iter().sum::<usize>(), sizes.len()), (values.len(), quantiles.len()));
            let mut rest = values;
            for (size, &quantile) in sizes.into_iter().zip(&quantiles) {
                let (chunk, after) = rest.split_at(size);
                rest = after;
                assert_eq!(bits(quantile_sorted(chunk, alpha, rule).expect("accepted whole")), bits(quantile));
            }
            let tau = mean_of_quantiles(&quantiles).expect("a mean of bounded numbers");
            assert!(
                quantiles.iter().any(|&q| q <= tau) && quantiles.iter().any(|&q| q >= tau),
                "{tau:?} {quantiles:?}"
            );
        }
        Err(error) => {
            assert!(!promised, "{error}");
            assert_refusal(&error);
        }
    }
}

/// The value to the last bit, the sign of zero included.
fn bits<S: Scalar>(value: S) -> u64 {
    value.to_f64().to_bits()
}
