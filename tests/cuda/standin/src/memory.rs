//! The device's memory: each allocation apart from all others, none of whose addresses is ever given again, with a record of
//! which bytes have a value and of who used them.

use crate::bytes::{Bytes, Refusal};
use crate::fault::{Fault, ILLEGAL_ADDRESS, INVALID_VALUE, LAUNCH_FAILED, MISALIGNED_ADDRESS, OUT_OF_MEMORY};
use crate::shadow::{Kind, Who};

/// Address bits within an allocation. An allocation's number stands above them.
const OFFSET_BITS: u32 = 36;
/// Where an allocation begins: aligned to 256 bytes, as the driver promises, and to no more.
const BASE: u64 = 256;
/// Bytes of a few numbers, which are there also where all other memory is hollow.
const FEW: usize = 16;
/// What an allocation is rounded up to when memory is counted.
const PAGE: u64 = 512;

#[derive(Debug)]
struct Allocation {
    size: usize,
    bytes: Bytes,
    /// Of a module: neither freed by its user nor leaked.
    of_module: bool,
    constant: bool,
}

#[derive(Debug)]
enum Slot {
    Live(Allocation),
    Freed { size: usize },
}

/// All allocations, by number.
#[derive(Debug, Default)]
pub struct Memory {
    slots: Vec<Slot>,
    used: u64,
    pub peak: u64,
    /// Addresses without memory behind them, but where there are few bytes: a flag or a counter is what the host wrote there.
    pub hollow: bool,
}

impl Memory {
    fn address(number: usize) -> u64 {
        ((number as u64 + 1) << OFFSET_BITS) + BASE
    }

    fn number(address: u64) -> usize {
        ((address >> OFFSET_BITS) as usize).wrapping_sub(1)
    }

    fn offset(address: u64) -> usize {
        ((address & ((1 << OFFSET_BITS) - 1)).wrapping_sub(BASE)) as usize
    }

    fn counted(size: usize) -> u64 {
        (size as u64).div_ceil(PAGE) * PAGE
    }

    pub fn used(&self) -> u64 {
        self.used
    }

    /// `size` bytes without a value, of a device that has `total`.
    pub fn allocate(&mut self, size: usize, total: u64) -> Result<u64, Fault> {
        if size == 0 {
            return Err(Fault::new(INVALID_VALUE, "an allocation of 0 bytes"));
        }
        let counted = Self::counted(size);
        if size as u64 >= 1 << (OFFSET_BITS - 1) || self.used + counted > total {
            let text = format!("{size} bytes asked for, {} of {total} in use", self.used);
            return Err(Fault::new(OUT_OF_MEMORY, text));
        }
        self.used += counted;
        self.peak = self.peak.max(self.used);
        let bytes = Bytes::new(if self.hollow && size > FEW { 0 } else { size });
        self.slots.push(Slot::Live(Allocation { size, bytes, of_module: false, constant: false }));
        Ok(Self::address(self.slots.len() - 1))
    }

    /// A module's variable with its first value.
    pub fn of_module(&mut self, data: Vec<u8>, constant: bool) -> u64 {
        self.slots.push(Slot::Live(Allocation { size: data.len(), bytes: Bytes::of(data), of_module: true, constant }));
        Self::address(self.slots.len() - 1)
    }

    pub fn free(&mut self, address: u64) -> Result<(), Fault> {
        let wrong = |text: String| Err(Fault::new(INVALID_VALUE, text));
        let slot = match self.slots.get_mut(Self::number(address)) {
            Some(slot) if Self::offset(address) == 0 => slot,
            _ => return wrong(format!("free of {address:#x}, which no allocation begins at")),
        };
        match slot {
            Slot::Freed { size } => wrong(format!("free of {address:#x} ({size} bytes) for the second time")),
            Slot::Live(allocation) if allocation.of_module => {
                wrong(format!("free of a module's variable, {address:#x}"))
            }
            Slot::Live(allocation) => {
                let size = allocation.size;
                self.used -= Self::counted(size);
                *slot = Slot::Freed { size };
                Ok(())
            }
        }
    }

    /// (number of allocations, bytes) that their user has not freed.
    pub fn leaked(&self) -> (usize, usize) {
        let living = self.slots.iter().filter_map(|slot| match slot {
            Slot::Live(allocation) if !allocation.of_module => Some(allocation.size),
            _ => None,
        });
        living.fold((0, 0), |(count, bytes), size| (count + 1, bytes + size))
    }

    /// Whether `address` points into (or just behind) a living allocation.
    pub fn is_address(&self, address: u64) -> bool {
        match self.slots.get(Self::number(address)) {
            Some(Slot::Live(allocation)) => Self::offset(address) <= allocation.size,
            _ => false,
        }
    }

    fn find(&mut self, address: u64, size: usize) -> Result<(&mut Allocation, usize), Refusal> {
        let offset = Self::offset(address);
        match self.slots.get_mut(Self::number(address)) {
            Some(Slot::Live(allocation)) => {
                if offset > allocation.size || size > allocation.size - offset {
                    let at = offset as i64;
                    let text = format!("out of bounds: bytes {at}..{} of {}", at + size as i64, allocation.size);
                    return Err(Refusal(ILLEGAL_ADDRESS, text));
                }
                Ok((allocation, offset))
            }
            Some(Slot::Freed { size }) => {
                Err(Refusal(ILLEGAL_ADDRESS, format!("used after it was freed ({size} bytes at {address:#x})")))
            }
            None => Err(Refusal(ILLEGAL_ADDRESS, format!("no memory at {address:#x}"))),
        }
    }

    /// One thread's access; `Ok` is where its bytes are.
    #[inline]
    pub fn access(
        &mut self,
        address: u64,
        size: usize,
        kind: Kind,
        who: Who,
        launch: u32,
    ) -> Result<(&mut Bytes, usize), Refusal> {
        if address & (size as u64 - 1) != 0 {
            return Err(Refusal(MISALIGNED_ADDRESS, format!("misaligned: {size} bytes at {address:#x}")));
        }
        let (allocation, offset) = self.find(address, size)?;
        if allocation.constant && kind != Kind::Read {
            return Err(Refusal(ILLEGAL_ADDRESS, format!("a write into constant memory at {address:#x}")));
        }
        allocation.bytes.access(offset, size, kind, who, launch)?;
        Ok((&mut allocation.bytes, offset))
    }

    /// Refused where this launch wrote: the read-only cache may hold what was there before.
    pub fn unwritten(&mut self, address: u64, size: usize, launch: u32) -> Result<(), Refusal> {
        let (allocation, offset) = self.find(address, size)?;
        if allocation.bytes.written_in(offset, launch) {
            let text = "a read through the read-only cache (ld.global.nc) of what the same launch wrote";
            return Err(Refusal(LAUNCH_FAILED, text.to_string()));
        }
        Ok(())
    }

    /// For the host: `size` bytes from `address` on, all of which must have a value.
    pub fn download(&mut self, address: u64, out: &mut [u8]) -> Result<(), Fault> {
        let hollow = self.hollow;
        let (allocation, offset) = self.find(address, out.len()).map_err(of_host)?;
        if hollow && (allocation.size > FEW || !allocation.bytes.all_valued(offset, out.len())) {
            out.fill(0);
            return Ok(());
        }
        if !allocation.bytes.all_valued(offset, out.len()) {
            let text = format!("a copy to the host of memory at {address:#x} that was never written");
            return Err(Fault::new(INVALID_VALUE, text));
        }
        out.copy_from_slice(&allocation.bytes.data[offset..offset + out.len()]);
        Ok(())
    }

    pub fn upload(&mut self, address: u64, data: &[u8]) -> Result<(), Fault> {
        let hollow = self.hollow;
        let (allocation, offset) = self.find(address, data.len()).map_err(of_host)?;
        if !hollow || allocation.size <= FEW {
            allocation.bytes.data[offset..offset + data.len()].copy_from_slice(data);
            allocation.bytes.set_valued(offset, data.len(), true);
        }
        Ok(())
    }

    /// `value` over and over, `count` times.
    pub fn fill(&mut self, to: u64, value: &[u8], count: usize) -> Result<(), Fault> {
        let size = value.len() * count;
        let hollow = self.hollow;
        let (allocation, offset) = self.find(to, size).map_err(of_host)?;
        if !hollow {
            for place in allocation.bytes.data[offset..offset + size].chunks_exact_mut(value.len()) {
                place.copy_from_slice(value);
            }
            allocation.bytes.set_valued(offset, size, true);
        }
        Ok(())
    }

    /// From device to device; bytes without a value stay without.
    pub fn copy(&mut self, to: u64, from: u64, size: usize) -> Result<(), Fault> {
        let hollow = self.hollow;
        let (source, at) = self.find(from, size).map_err(of_host)?;
        let (data, valued): (Vec<u8>, Vec<bool>) = if hollow {
            (Vec::new(), Vec::new())
        } else {
            let valued = (at..at + size).map(|at| source.bytes.all_valued(at, 1)).collect();
            (source.bytes.data[at..at + size].to_vec(), valued)
        };
        let (target, at) = self.find(to, size).map_err(of_host)?;
        if !hollow {
            target.bytes.data[at..at + size].copy_from_slice(&data);
            for (i, values) in valued.into_iter().enumerate() {
                target.bytes.set_valued(at + i, 1, values);
            }
        }
        Ok(())
    }
}

fn of_host(refusal: Refusal) -> Fault {
    let text = format!("a copy asked for by the host: {}", refusal.1);
    Fault::new(if refusal.0 == ILLEGAL_ADDRESS { INVALID_VALUE } else { refusal.0 }, text)
}
