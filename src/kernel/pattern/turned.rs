//! [`Turned`]: a pattern's entries as the input gradient goes through them.

use super::Pattern;

/// The living entries by input channel: for each, ascending by output and tap.
#[derive(Debug, Clone)]
pub struct Turned {
    pub groups: usize,
    /// Where each input channel's entries start, and their number at the end: `[c groups + 1]`.
    pub starts: Vec<usize>,
    /// `output * taps + tap` of each entry.
    pub keys: Vec<u32>,
    /// Where its value is, in the pattern's order.
    pub positions: Vec<u32>,
}

impl Turned {
    pub fn new(pattern: &Pattern, groups: usize) -> Self {
        let [o, c, kh, kw] = pattern.filters();
        let taps = (kh * kw) as u32;
        let inputs = c * groups;
        let entries = || {
            (0..o).flat_map(|output| {
                let first = output / (o / groups) * c;
                let entry = move |&key: &u32| (first + (key / taps) as usize, output as u32 * taps + key % taps);
                pattern.row(output).iter().map(entry)
            })
        };
        let mut starts = vec![0; inputs + 1];
        entries().for_each(|(input, _)| starts[input + 1] += 1);
        for i in 0..inputs {
            starts[i + 1] += starts[i];
        }
        let (mut keys, mut positions) = (vec![0; pattern.nnz()], vec![0; pattern.nnz()]);
        let mut next = starts.clone();
        for (position, (input, key)) in (0..).zip(entries()) {
            let place = &mut next[input];
            (keys[*place], positions[*place]) = (key, position);
            *place += 1;
        }
        Self { groups, starts, keys, positions }
    }

    pub fn bytes(&self) -> usize {
        size_of_val(&self.starts[..]) + size_of_val(&self.keys[..]) + size_of_val(&self.positions[..])
    }
}
