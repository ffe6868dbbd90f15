//! [`Asked`]: which mistakes a page asks for.

use super::slips::Slip;
use std::cell::Cell;

/// Which mistakes a page asked for: the others can change nothing in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked([Cell<u64>; Slip::ALL.len().div_ceil(64)]);

impl Asked {
    #[inline]
    pub(crate) fn note(&self, slip: Slip) {
        let word = &self.0[slip as usize / 64];
        word.set(word.get() | 1 << (slip as usize % 64));
    }

    pub(crate) fn has(&self, slip: Slip) -> bool {
        self.0[slip as usize / 64].get() >> (slip as usize % 64) & 1 == 1
    }
}
