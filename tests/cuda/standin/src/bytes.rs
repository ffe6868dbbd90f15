//! A piece of memory that remembers which of its bytes have a value, and who used them.

use crate::fault::{Code, LAUNCH_FAILED};
use crate::shadow::{Kind, Race, Shadow, Who};

/// Bytes, which of them have a value, and who used them.
#[derive(Clone, Debug)]
pub struct Bytes {
    pub data: Vec<u8>,
    /// A bit per byte.
    valued: Vec<u64>,
    shadow: Shadow,
}

/// Why an access is refused; the caller knows where it was made.
#[derive(Debug)]
pub struct Refusal(pub Code, pub String);

impl Bytes {
    pub fn new(size: usize) -> Self {
        Bytes { data: vec![0; size], valued: vec![0; size / 64 + 1], shadow: Shadow::new() }
    }

    pub fn of(data: Vec<u8>) -> Self {
        let valued = vec![u64::MAX; data.len() / 64 + 1];
        Bytes { data, valued, shadow: Shadow::new() }
    }

    /// Forgets all values (shared memory when a block begins).
    pub fn forget(&mut self) {
        self.valued.fill(0);
    }

    /// One thread's access of `size` (1, 2, 4 or 8) bytes; `offset` is aligned to `size`.
    #[inline(always)]
    pub fn access(&mut self, offset: usize, size: usize, kind: Kind, who: Who, launch: u32) -> Result<(), Refusal> {
        let bits = ((1u64 << size) - 1) << (offset & 63);
        let valued = &mut self.valued[offset >> 6];
        if kind == Kind::Write {
            *valued |= bits;
        } else if *valued & bits != bits {
            return Err(without_value());
        }
        let bytes = self.data.len();
        self.shadow.access(bytes, offset, size, kind, who, launch).map_err(raced)
    }

    /// Whether the launch wrote there (what the cache of read-only data does not see).
    pub fn written_in(&self, offset: usize, launch: u32) -> bool {
        self.shadow.written_in(offset, launch)
    }

    #[inline(always)]
    pub fn get(&self, offset: usize, size: usize) -> u64 {
        let at = &self.data[offset..offset + size];
        match size {
            1 => u64::from(at[0]),
            2 => u64::from(u16::from_le_bytes([at[0], at[1]])),
            4 => u64::from(u32::from_le_bytes([at[0], at[1], at[2], at[3]])),
            _ => u64::from_le_bytes([at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7]]),
        }
    }

    #[inline]
    pub fn put(&mut self, offset: usize, size: usize, value: u64) {
        self.data[offset..offset + size].copy_from_slice(&value.to_le_bytes()[..size]);
    }

    /// Whether all bytes of a range have values.
    pub fn all_valued(&self, offset: usize, size: usize) -> bool {
        words(offset, size).all(|(word, bits)| self.valued[word] & bits == bits)
    }

    pub fn set_valued(&mut self, offset: usize, size: usize, values: bool) {
        for (word, bits) in words(offset, size) {
            if values {
                self.valued[word] |= bits;
            } else {
                self.valued[word] &= !bits;
            }
        }
    }
}

/// The words of flags of a range of bytes, and the bits of each that are the range's.
fn words(offset: usize, size: usize) -> impl Iterator<Item = (usize, u64)> {
    let end = offset + size;
    (offset / 64..end.div_ceil(64)).map(move |word| {
        let (first, last) = (offset.max(64 * word) % 64, (end - 64 * word).min(64));
        (word, (u64::MAX >> (64 - last)) & (u64::MAX << first))
    })
}

#[cold]
fn without_value() -> Refusal {
    Refusal(LAUNCH_FAILED, "a read of memory that was never written".to_string())
}

#[cold]
fn raced(race: Race) -> Refusal {
    Refusal(LAUNCH_FAILED, format!("a race: {}", race.0))
}
