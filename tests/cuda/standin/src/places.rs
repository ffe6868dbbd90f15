//! Where an address lies: in which memory, and within what is there.

use crate::block::Block;
use crate::bytes::Refusal;
use crate::decode::{LOCAL_WINDOW, SHARED_WINDOW};
use crate::fault::{ILLEGAL_ADDRESS, LAUNCH_FAILED, MISALIGNED_ADDRESS};
use crate::kernel::Space;
use crate::ptx::Param;
use crate::run::Machine;
use crate::shadow::{Kind, Who};

impl Machine<'_> {
    #[inline]
    pub fn read(
        &mut self,
        block: &mut Block,
        (warp, lane): (usize, usize),
        space: Space,
        at: u64,
        size: usize,
        who: Who,
    ) -> Result<u64, Refusal> {
        match place(space, at) {
            (Space::Global, at) => {
                let (bytes, offset) = self.memory.access(at, size, Kind::Read, who, self.launch)?;
                Ok(bytes.get(offset, size))
            }
            (Space::Shared, at) => {
                let offset = self.shared(at, size)?;
                block.shared.access(offset, size, Kind::Read, who, who.serial)?;
                Ok(block.shared.get(offset, size))
            }
            (Space::Param, at) => {
                aligned(at, size)?;
                let (begin, end) = (at, at.saturating_add(size as u64));
                let within = |param: &Param| begin >= param.offset as u64 && end <= (param.offset + param.size) as u64;
                if !self.grid.kernel.params.iter().any(within) {
                    return Err(Refusal(
                        ILLEGAL_ADDRESS,
                        format!("out of bounds of every parameter: {size} bytes at {at}"),
                    ));
                }
                let mut bytes = [0; 8];
                bytes[..size].copy_from_slice(&self.grid.params[at as usize..at as usize + size]);
                Ok(u64::from_le_bytes(bytes))
            }
            (_, at) => {
                let from = self.local(at, size, lane)?;
                let warp = &block.warps[warp];
                if !warp.local_valued[from..from + size].iter().all(|&valued| valued) {
                    let text = "a read of local memory that was never written";
                    return Err(Refusal(LAUNCH_FAILED, text.to_string()));
                }
                let mut bytes = [0; 8];
                bytes[..size].copy_from_slice(&warp.local[from..from + size]);
                Ok(u64::from_le_bytes(bytes))
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    #[inline]
    pub fn write(
        &mut self,
        block: &mut Block,
        (warp, lane): (usize, usize),
        space: Space,
        at: u64,
        size: usize,
        value: u64,
        who: Who,
    ) -> Result<(), Refusal> {
        match place(space, at) {
            (Space::Global, at) => {
                let (bytes, offset) = self.memory.access(at, size, Kind::Write, who, self.launch)?;
                bytes.put(offset, size, value);
            }
            (Space::Shared, at) => {
                let offset = self.shared(at, size)?;
                block.shared.access(offset, size, Kind::Write, who, who.serial)?;
                block.shared.put(offset, size, value);
            }
            (Space::Param, _) => return Err(Refusal(ILLEGAL_ADDRESS, "a write into a parameter".to_string())),
            (_, at) => {
                let to = self.local(at, size, lane)?;
                let warp = &mut block.warps[warp];
                warp.local[to..to + size].copy_from_slice(&value.to_le_bytes()[..size]);
                warp.local_valued[to..to + size].fill(true);
            }
        }
        Ok(())
    }

    /// An address of shared memory that lies within one of its variables.
    #[inline(always)]
    pub fn shared(&self, at: u64, size: usize) -> Result<usize, Refusal> {
        aligned(at, size)?;
        let kernel = self.grid.kernel;
        let (begin, end) = (at, at.saturating_add(size as u64));
        let within = |from: usize, to: usize| begin >= from as u64 && end <= to as u64;
        let dynamic = kernel.dynamic.is_some_and(|from| within(from, from + self.grid.dynamic));
        if dynamic || kernel.shared_variables.iter().any(|&(from, to)| within(from, to)) {
            return Ok(at as usize);
        }
        Err(outside(at, size))
    }

    fn local(&self, at: u64, size: usize, lane: usize) -> Result<usize, Refusal> {
        aligned(at, size)?;
        let bytes = self.grid.kernel.local;
        if at.saturating_add(size as u64) > bytes as u64 {
            return Err(Refusal(ILLEGAL_ADDRESS, format!("out of bounds: local bytes {at}.. of {bytes}")));
        }
        Ok(lane * bytes + at as usize)
    }
}

/// The space that a generic address lies in, and the address there.
#[inline]
pub fn place(space: Space, at: u64) -> (Space, u64) {
    match space {
        Space::Generic if at >= LOCAL_WINDOW => (Space::Local, at - LOCAL_WINDOW),
        Space::Generic if at >= SHARED_WINDOW => (Space::Shared, at - SHARED_WINDOW),
        Space::Generic => (Space::Global, at),
        space => (space, at),
    }
}

#[inline(always)]
pub fn aligned(at: u64, size: usize) -> Result<(), Refusal> {
    if at & (size as u64 - 1) == 0 {
        Ok(())
    } else {
        Err(misaligned(at, size))
    }
}

#[cold]
fn misaligned(at: u64, size: usize) -> Refusal {
    Refusal(MISALIGNED_ADDRESS, format!("misaligned: {size} bytes at {at:#x}"))
}

#[cold]
fn outside(at: u64, size: usize) -> Refusal {
    Refusal(ILLEGAL_ADDRESS, format!("out of bounds of every shared variable: {size} bytes at {at:#x}"))
}
