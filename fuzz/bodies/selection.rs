//! The selection of an epoch (Eq. 5, Alg. 5), of single weights and of groups.

use super::assert_refusal;
use super::input::Input;
use gdstar::paper::reading::{Chunking, MaskedGradient, QuantileRule, Reading};
use gdstar::paper::selection::{Selection, select_weights};
use gdstar::paper::structured::{GroupScore, Structure, groups, select_structured};
use gdstar::scalar::Scalar;

/// Byte 0: rule; 1: chunking; 2: masked gradient; 3: C; 4: structure; 5, 6: its sizes; 7: score; 8: columns of the
/// weight matrix; 9: period of the mask; 10 to 17: alpha; then G, in f32 and in f64.
pub fn run(data: &[u8]) -> bool {
    check::<f32>(data) & check::<f64>(data)
}

fn check<S: Scalar>(data: &[u8]) -> bool {
    let mut input = Input(data);
    let reading = Reading {
        quantile: input.choice(QuantileRule::ALL),
        chunking: input.choice(Chunking::ALL),
        masked_gradient: input.choice(MaskedGradient::ALL),
        ..Reading::default()
    };
    let chunks = input.count();
    let (structure, score) = (structure(&mut input), input.choice(GroupScore::ALL));
    let columns = usize::from(input.byte() % 16) + 1;
    let period = usize::from(input.byte());
    let alpha = input.number();
    let g: Vec<S> = input.numbers();
    // Every `period`-th weight is eliminated; period 0 eliminates none, 1 all.
    let mask: Vec<bool> = (0..g.len()).map(|j| period == 0 || j % period != 0).collect();

    let whole = select_weights(&g, &mask, alpha, chunks, &reading);
    match &whole {
        Ok(selection) => assert_selected(&g, &mask, reading.masked_gradient, selection),
        Err(error) => assert_refusal(error),
    }
    let g = &g[..g.len() / columns * columns];
    let shape = [g.len() / columns, columns];
    let grouped = select_structured(g, &mask[..g.len()], &[&shape], (structure, score), alpha, chunks, &reading);
    match &grouped {
        Ok(selection) => {
            let (ids, count) = groups(&shape, structure).expect("accepted structure");
            assert_grouped(&ids, count, &mask, &reading, structure, selection);
        }
        Err(error) => assert_refusal(error),
    }
    whole.is_ok()
}

fn structure(input: &mut Input) -> Structure {
    let (kind, a, b) = (input.byte(), input.count(), input.count());
    match kind % 3 {
        0 => Structure::OutputChannels,
        1 => Structure::Blocks { height: a, width: b },
        _ => Structure::Pattern { keep: a, of: b },
    }
}

/// Exactly the weights below tau: all of them, or those alive where eliminated ones are excluded.
fn assert_selected<S: Scalar>(g: &[S], mask: &[bool], treatment: MaskedGradient, selection: &Selection<S>) {
    assert_eq!(selection.selected.len(), g.len());
    for (j, (&g_j, &alive)) in g.iter().zip(mask).enumerate() {
        let below = match treatment {
            MaskedGradient::Dense => g_j < selection.tau,
            MaskedGradient::Zero if alive => g_j < selection.tau,
            MaskedGradient::Zero => S::ZERO < selection.tau,
            MaskedGradient::Excluded => alive && g_j < selection.tau,
        };
        assert_eq!(selection.selected[j], below, "weight {j}: {g_j:?} against {:?}", selection.tau);
    }
}

/// A group stands or falls as one (its eliminated weights aside, where they are excluded); a pattern leaves `keep`
/// or what there is of every run.
fn assert_grouped<S: Scalar>(
    ids: &[usize],
    count: usize,
    mask: &[bool],
    reading: &Reading,
    structure: Structure,
    selection: &Selection<S>,
) {
    assert_eq!(selection.selected.len(), ids.len());
    let excluded = reading.masked_gradient == MaskedGradient::Excluded;
    let (mut members, mut selected) = (vec![0_usize; count], vec![0_usize; count]);
    for (j, &id) in ids.iter().enumerate().filter(|&(j, _)| mask[j] || !excluded) {
        members[id] += 1;
        selected[id] += usize::from(selection.selected[j]);
    }
    for (&members, &selected) in members.iter().zip(&selected) {
        match structure {
            Structure::Pattern { keep, .. } => {
                assert!(members - selected <= keep, "{selected} of {members}, keep {keep}")
            }
            _ => assert!(selected == 0 || selected == members, "{selected} of {members}"),
        }
    }
}
