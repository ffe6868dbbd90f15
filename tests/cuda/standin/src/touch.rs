//! Loads, stores and atomic operations of threads.

use crate::block::{extended, Block};
use crate::bytes::Refusal;
use crate::fault::ILLEGAL_ADDRESS;
use crate::kernel::{Act, Address, Space};
use crate::places::{aligned, place};
use crate::registers::{Mask, Register, LANES};
use crate::run::Machine;
use crate::shadow::{Kind, Who};

impl Machine<'_> {
    /// The same load, store or atomic operation of the threads `acting`, one after the other.
    pub fn touch_all(
        &mut self,
        block: &mut Block,
        warp: usize,
        acting: Mask,
        act: &Act,
    ) -> Result<(), (usize, Refusal)> {
        match act {
            Act::Load { from, size: 4, signed: false, cached: false, to } if to.len() == 1 => {
                self.load_all::<4>(block, warp, acting, from, to[0])
            }
            Act::Load { from, size: 8, cached: false, to, .. } if to.len() == 1 => {
                self.load_all::<8>(block, warp, acting, from, to[0])
            }
            act => each(acting, |lane| self.touch(block, warp, lane, act)),
        }
    }

    /// A load of one register without a sign: what `touch` does, for the commonest instruction.
    fn load_all<const SIZE: usize>(
        &mut self,
        block: &mut Block,
        warp: usize,
        acting: Mask,
        from: &Address,
        to: Register,
    ) -> Result<(), (usize, Refusal)> {
        let base = match from.base {
            Register::R64(base) => block.warps[warp].registers.r64[base],
            _ => return each(acting, |lane| self.load_one(block, (warp, lane), from, SIZE, to)),
        };
        let mut who = Who { serial: block.serial, epoch: block.epoch, thread: (warp * LANES) as u32 };
        let mut values = [0; LANES];
        let first = who.thread;
        match from.space {
            Space::Shared => each(acting, |lane| {
                who.thread = first + lane as u32;
                let offset = self.shared(base[lane].wrapping_add(from.offset as u64), SIZE)?;
                block.shared.access(offset, SIZE, Kind::Read, who, who.serial)?;
                values[lane] = block.shared.get(offset, SIZE);
                Ok(())
            })?,
            Space::Global => each(acting, |lane| {
                who.thread = first + lane as u32;
                let at = base[lane].wrapping_add(from.offset as u64);
                let (bytes, offset) = self.memory.access(at, SIZE, Kind::Read, who, self.launch)?;
                values[lane] = bytes.get(offset, SIZE);
                Ok(())
            })?,
            _ => return each(acting, |lane| self.load_one(block, (warp, lane), from, SIZE, to)),
        }
        let registers = &mut block.warps[warp].registers;
        each(acting, |lane| {
            registers.set(to, lane, values[lane]);
            Ok(())
        })
    }

    fn load_one(
        &mut self,
        block: &mut Block,
        (warp, lane): (usize, usize),
        from: &Address,
        size: usize,
        to: Register,
    ) -> Result<(), Refusal> {
        let who = Who { serial: block.serial, epoch: block.epoch, thread: (warp * LANES + lane) as u32 };
        let at = address(block, warp, lane, from);
        let value = self.read(block, (warp, lane), from.space, at, size, who)?;
        block.warps[warp].registers.set(to, lane, value);
        Ok(())
    }

    /// One thread's load, store or atomic operation.
    fn touch(&mut self, block: &mut Block, warp: usize, lane: usize, act: &Act) -> Result<(), Refusal> {
        let who = Who { serial: block.serial, epoch: block.epoch, thread: (warp * LANES + lane) as u32 };
        match act {
            Act::Load { from, size, signed, cached, to } => {
                let at = address(block, warp, lane, from);
                aligned(at, size * to.len())?;
                for (i, &to) in to.iter().enumerate() {
                    let at = at.wrapping_add((i * size) as u64);
                    if *cached {
                        self.memory.unwritten(at, *size, self.launch)?;
                    }
                    let value = self.read(block, (warp, lane), from.space, at, *size, who)?;
                    block.warps[warp].registers.set(to, lane, extended(value, *size, *signed));
                }
                Ok(())
            }
            Act::Store { to, size, from } => {
                let at = address(block, warp, lane, to);
                aligned(at, size * from.len())?;
                for (i, &from) in from.iter().enumerate() {
                    let value = block.warps[warp].registers.get(from, lane);
                    self.write(block, (warp, lane), to.space, at.wrapping_add((i * size) as u64), *size, value, who)?;
                }
                Ok(())
            }
            Act::Atomic { at, size, f, b, c, old } => {
                let address = address(block, warp, lane, at);
                let registers = &block.warps[warp].registers;
                let (b, c) = (registers.get(*b, lane), registers.get(*c, lane));
                let (bytes, offset) = match place(at.space, address) {
                    (Space::Global, at) => self.memory.access(at, *size, Kind::Atomic, who, self.launch)?,
                    (Space::Shared, at) => {
                        let offset = self.shared(at, *size)?;
                        block.shared.access(offset, *size, Kind::Atomic, who, who.serial)?;
                        (&mut block.shared, offset)
                    }
                    _ => {
                        return Err(Refusal(ILLEGAL_ADDRESS, "an atomic operation in memory of one thread".to_string()))
                    }
                };
                let before = bytes.get(offset, *size);
                bytes.put(offset, *size, f(before, b, c));
                if let Some(old) = *old {
                    block.warps[warp].registers.set(old, lane, before);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// `f` for each thread; with a refusal goes the thread that met it.
#[inline(always)]
fn each(mask: Mask, mut f: impl FnMut(usize) -> Result<(), Refusal>) -> Result<(), (usize, Refusal)> {
    let mut threads = mask;
    while threads != 0 {
        let lane = threads.trailing_zeros() as usize;
        threads &= threads - 1;
        f(lane).map_err(|refusal| (lane, refusal))?;
    }
    Ok(())
}

fn address(block: &Block, warp: usize, lane: usize, address: &Address) -> u64 {
    block.warps[warp].registers.get(address.base, lane).wrapping_add(address.offset as u64)
}
