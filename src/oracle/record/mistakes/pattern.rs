//! Where the elements lie that are off: what is said where nothing explains them.

use super::Found;
use ndarray::IxDyn;

/// In words, where they lie along one axis alone, or where there are few.
pub(super) fn describe(found: &Found) -> Option<String> {
    let shape = found.expected.shape();
    let off = found.elements();
    let (count, all) = (off.len(), found.got.len());
    if count == 0 || count == all {
        return None;
    }
    if count == 1 {
        return Some(format!("one element alone is off, of {all}"));
    }
    if let &[a, b] = off.as_slice()
        && stands(found, a, b)
        && stands(found, b, a)
    {
        return Some(format!("elements {:?} and {:?} are exchanged", index(shape, a), index(shape, b)));
    }
    let indices: Vec<Vec<usize>> = off.iter().map(|&at| index(shape, at)).collect();
    let got = |i: &[usize]| found.got.get(IxDyn(i)).copied().unwrap_or(f64::NAN);
    let is_zero = indices.iter().all(|i| got(i) == 0.0);
    let what = if is_zero { "are 0: they are not computed" } else { "are off: not computed, or of another buffer" };
    let along = (0..shape.len()).find_map(|axis| {
        let (first, last) =
            indices.iter().fold((usize::MAX, 0), |(low, high), i| (low.min(i[axis]), high.max(i[axis])));
        let is_part = last + 1 - first < shape[axis] && (first > 0 || last + 1 < shape[axis]);
        // Most of that part: what happens to lie there is no pattern.
        let fills = 2 * count > (last + 1 - first) * (all / shape[axis].max(1));
        (is_part && (fills || first == last)).then_some((axis, first, last))
    });
    match along {
        Some((axis, first, last)) if last + 1 == shape[axis] => {
            let rows = last + 1 - first;
            Some(format!("the last {rows} of {} along axis {axis} {what}: the last rows of a tile", shape[axis]))
        }
        Some((axis, first, last)) => {
            Some(format!("indices {first} to {last} of {} along axis {axis} {what}", shape[axis]))
        }
        None if off.last().is_some_and(|&last| last + 1 == all) && off[0] + count == all => {
            Some(format!("the last {count} of {all} elements {what}: the end of a tile"))
        }
        None => Some(format!("{count} of {all} elements are off")),
    }
}

/// Whether element `at` of the result is what belongs to element `of`.
fn stands(found: &Found, at: usize, of: usize) -> bool {
    let expected = &found.expected;
    let numbers = (found.got.iter().nth(at), expected.truth.iter().nth(of), expected.any.iter().nth(of));
    matches!(numbers, (Some(got), Some(truth), Some(any)) if (got - truth).abs() <= *any)
}

/// The index of an element by its place in row-major order.
pub(super) fn index(shape: &[usize], mut at: usize) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (place, &extent) in index.iter_mut().zip(shape).rev() {
        *place = at % extent.max(1);
        at /= extent.max(1);
    }
    index
}
