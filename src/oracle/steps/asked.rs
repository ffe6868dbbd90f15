//! [`Asked`]: which mistakes a page asks for, which operands, and which results it lays down.

use super::slips::Slip;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

/// What a page asked for and laid down: other mistakes can change nothing in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    slips: [Cell<u64>; Slip::ALL.len().div_ceil(64)],
    operands: RefCell<BTreeSet<String>>,
    results: RefCell<BTreeSet<String>>,
}

impl Asked {
    #[inline]
    pub(crate) fn note(&self, slip: Slip) {
        let word = &self.slips[slip as usize / 64];
        word.set(word.get() | 1 << (slip as usize % 64));
    }

    pub(crate) fn has(&self, slip: Slip) -> bool {
        self.slips[slip as usize / 64].get() >> (slip as usize % 64) & 1 == 1
    }

    pub(crate) fn note_operand(&self, quantity: &str) {
        note(&self.operands, quantity);
    }

    pub(crate) fn note_result(&self, quantity: &str) {
        note(&self.results, quantity);
    }

    pub(crate) fn results(&self) -> Vec<String> {
        self.results.borrow().iter().cloned().collect()
    }

    pub(crate) fn operands(&self) -> Vec<String> {
        self.operands.borrow().iter().cloned().collect()
    }
}

fn note(among: &RefCell<BTreeSet<String>>, quantity: &str) {
    let mut all = among.borrow_mut();
    if !all.contains(quantity) {
        all.insert(quantity.to_string());
    }
}
