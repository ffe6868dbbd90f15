//! Threads of one warp take steps together.

use crate::block::{extended, Block, Grid};
use crate::decode::{LOCAL_WINDOW, SHARED_WINDOW};
use crate::fault::{Fault, ILLEGAL_ADDRESS, LAUNCH_FAILED, MISALIGNED_ADDRESS, TIMEOUT};
use crate::kernel::{Act, Address, Space};
use crate::memory::{Memory, Refusal};
use crate::ptx::Param;
use crate::registers::{Mask, Register, LANES};
use crate::shadow::{Kind, Who};

/// What runs: the memory that all blocks see, and what is counted.
pub struct Machine<'a> {
    pub grid: &'a Grid<'a>,
    pub memory: &'a mut Memory,
    /// The serial of the launch's first block.
    pub launch: u32,
    /// Blocks begun.
    pub begun: u32,
    /// Steps allowed to a block.
    pub limit: u64,
    /// Instructions of all threads.
    pub instructions: u64,
}

impl Machine<'_> {
    /// The block number `number` of the grid begins. Serials grow with time: what a block of a lower one left in shared
    /// memory is nobody's.
    pub fn begin(&mut self, block: &mut Block, number: u64) {
        block.begin(self.grid, number, self.launch + self.begun);
        self.begun += 1;
    }

    /// The threads `mask` of a warp, which stand at the same step, go on together for at most `quantum` steps: until they
    /// part, wait, or return, and, if `join`, until others may join them.
    pub fn run(&mut self, block: &mut Block, warp: usize, mask: Mask, quantum: u64, join: bool) -> Result<(), Fault> {
        let steps = &self.grid.kernel.steps;
        let mut at = block.warps[warp].at[mask.trailing_zeros() as usize] as usize;
        let alone = !join || block.warps[warp].ready() == mask;
        let mut left = quantum;
        let lanes = u64::from(mask.count_ones());
        loop {
            let step = &steps[at];
            let acting = match step.guard {
                None => mask,
                Some((p, negated)) => {
                    let p = block.warps[warp].registers.predicates[p];
                    mask & if negated { !p } else { p }
                }
            };
            let next = at + 1;
            match &step.act {
                Act::Alu(alu) => {
                    if acting != 0 {
                        alu(&mut block.warps[warp].registers, acting);
                    }
                    at = next;
                }
                Act::Branch(target) => {
                    if acting == mask {
                        at = *target;
                    } else if acting == 0 {
                        at = next;
                    } else {
                        stand(&mut block.warps[warp].at, acting, *target);
                        stand(&mut block.warps[warp].at, mask & !acting, next);
                        return self.count(block, quantum - left + 1, lanes);
                    }
                }
                Act::Nothing => at = next,
                Act::Return => {
                    let warp = &mut block.warps[warp];
                    warp.living &= !acting;
                    stand(&mut warp.at, mask & !acting, next);
                    return self.count(block, quantum - left + 1, lanes);
                }
                Act::Barrier => {
                    if acting != 0 {
                        arrive(block, warp, acting, at, step.line)?;
                    }
                    stand(&mut block.warps[warp].at, mask, next);
                    return self.count(block, quantum - left + 1, lanes);
                }
                Act::Trap => {
                    if acting != 0 {
                        let thread = (warp * LANES) as u32 + acting.trailing_zeros();
                        let text = format!("line {}: trap, {}", step.line, block.name(thread));
                        return Err(Fault::new(LAUNCH_FAILED, text));
                    }
                    at = next;
                }
                memory => {
                    self.touch_all(block, warp, acting, memory)
                        .map_err(|(lane, refusal)| refused(block, warp, lane, step.line, refusal))?;
                    at = next;
                }
            }
            left -= 1;
            if left == 0 || (!alone && steps[at].leader) {
                stand(&mut block.warps[warp].at, mask, at);
                return self.count(block, quantum - left, lanes);
            }
        }
    }

    fn count(&mut self, block: &mut Block, steps: u64, lanes: u64) -> Result<(), Fault> {
        self.instructions += steps * lanes;
        block.steps += steps;
        if block.steps > self.limit {
            let [x, y, z] = block.index;
            let text = format!("block ({x}, {y}, {z}) has taken {} steps and does not end", block.steps);
            return Err(Fault::new(TIMEOUT, text));
        }
        Ok(())
    }

    /// The same load, store or atomic operation of the threads `acting`, one after the other.
    fn touch_all(&mut self, block: &mut Block, warp: usize, acting: Mask, act: &Act) -> Result<(), (usize, Refusal)> {
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

    #[inline]
    fn read(
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
    fn write(
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
    fn shared(&self, at: u64, size: usize) -> Result<usize, Refusal> {
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

fn stand(at: &mut [u32; LANES], mask: Mask, step: usize) {
    let mut threads = mask;
    while threads != 0 {
        at[threads.trailing_zeros() as usize] = step as u32;
        threads &= threads - 1;
    }
}

/// Threads arrive at the barrier of step `at`: all threads of a block must arrive at the same.
fn arrive(block: &mut Block, warp: usize, acting: Mask, at: usize, line: u32) -> Result<(), Fault> {
    match block.barrier {
        Some(other) if other != at as u32 => {
            let thread = (warp * LANES) as u32 + acting.trailing_zeros();
            let text = format!(
                "barrier divergence: {} is at the barrier of line {line} while others wait at another",
                block.name(thread)
            );
            return Err(Fault::new(LAUNCH_FAILED, text));
        }
        _ => block.barrier = Some(at as u32),
    }
    block.warps[warp].waiting |= acting;
    Ok(())
}

fn address(block: &Block, warp: usize, lane: usize, address: &Address) -> u64 {
    block.warps[warp].registers.get(address.base, lane).wrapping_add(address.offset as u64)
}

/// The space that a generic address lies in, and the address there.
#[inline]
fn place(space: Space, at: u64) -> (Space, u64) {
    match space {
        Space::Generic if at >= LOCAL_WINDOW => (Space::Local, at - LOCAL_WINDOW),
        Space::Generic if at >= SHARED_WINDOW => (Space::Shared, at - SHARED_WINDOW),
        Space::Generic => (Space::Global, at),
        space => (space, at),
    }
}

#[inline(always)]
fn aligned(at: u64, size: usize) -> Result<(), Refusal> {
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

#[cold]
fn refused(block: &Block, warp: usize, lane: usize, line: u32, refusal: Refusal) -> Fault {
    let thread = (warp * LANES + lane) as u32;
    Fault::new(refusal.0, format!("line {line}, {}: {}", block.name(thread), refusal.1))
}
