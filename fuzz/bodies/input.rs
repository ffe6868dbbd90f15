//! Numbers and choices out of a fuzzer's bytes, front to back; zeros once the bytes are used up.

use gdstar::scalar::Scalar;

/// What is left of the bytes.
pub struct Input<'a>(pub &'a [u8]);

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let present = N.min(self.0.len());
        bytes[..present].copy_from_slice(&self.0[..present]);
        self.0 = &self.0[present..];
        bytes
    }

    pub fn byte(&mut self) -> u8 {
        u8::from_le_bytes(self.take())
    }

    /// One of `choices`, by the next byte.
    pub fn choice<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    /// A count: the next byte, where 255 stands for the largest there is.
    pub fn count(&mut self) -> usize {
        match self.byte() {
            255 => usize::MAX,
            count => count.into(),
        }
    }

    pub fn number(&mut self) -> f64 {
        f64::from_le_bytes(self.take())
    }

    /// All remaining bytes as numbers of two bytes each, bfloat16: few bytes reach every magnitude, both zeros,
    /// infinities and NaN, and make many ties.
    pub fn numbers<S: Scalar>(&self) -> Vec<S> {
        let wide = |&bytes| S::from_f64(f64::from(f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16)));
        self.0.as_chunks::<2>().0.iter().map(wide).collect()
    }
}

/// A good file with changes: five bytes each, where (little-endian, modulo the file's length) and what. A last group of
/// fewer bytes cuts the file there.
pub fn changed(good: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for change in changes.chunks(5) {
        let place = change.iter().take(4).rev().fold(0usize, |place, &byte| place << 8 | usize::from(byte));
        let at = place % bytes.len().max(1);
        match change {
            [_, _, _, _, value] if !bytes.is_empty() => bytes[at] = *value,
            _ => bytes.truncate(at),
        }
    }
    bytes
}
