//! Who read and who wrote each word last: accesses that nothing orders are found whatever the schedule was.
//!
//! Two accesses of one word, one of them at least a write, are ordered if the same thread makes both, if both are of one
//! block and a barrier lies between them, or if they are of different launches. Atomic operations do not race with each
//! other. A word's two records hold what that needs: the last write, and the last read with what came together with it.

/// The thread that makes an access. `serial` numbers the blocks of all launches, `epoch` the block's barriers.
#[derive(Clone, Copy, Debug)]
pub struct Who {
    pub serial: u32,
    pub epoch: u32,
    pub thread: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Read,
    Write,
    Atomic,
}

/// serial (32 bits), epoch (19), thread (11), of several blocks (1), atomic (1); 0 is nobody.
type Record = u64;

const SERIAL: u32 = 32;
const EPOCH: u32 = 13;
/// The highest number of a barrier.
pub const EPOCHS: u32 = (1 << 19) - 1;
const THREAD: u32 = 2;
const SEVERAL_THREADS: u64 = 0x7ff << THREAD;
const SEVERAL_BLOCKS: u64 = 2;
const ATOMIC: u64 = 1;

fn record(who: Who) -> Record {
    (u64::from(who.serial) << SERIAL) | (u64::from(who.epoch) << EPOCH) | (u64::from(who.thread) << THREAD)
}

/// What was found: the other access, in words.
#[derive(Debug)]
pub struct Race(pub String);

#[derive(Clone, Debug, Default)]
pub struct Shadow {
    /// log2 of the bytes of a word: 2 until somebody uses less than 4 bytes, then 0.
    granule: u32,
    wrote: Vec<Record>,
    read: Vec<Record>,
}

impl Shadow {
    pub fn new() -> Self {
        Shadow { granule: 2, wrote: Vec::new(), read: Vec::new() }
    }

    #[cold]
    fn prepare(&mut self, bytes: usize, size: usize) {
        if self.wrote.is_empty() {
            let words = (bytes >> self.granule) + 1;
            self.wrote = vec![0; words];
            self.read = vec![0; words];
        }
        if self.granule == 2 && size < 4 {
            let each = |records: &[Record]| records.iter().flat_map(|&record| [record; 4]).collect();
            self.wrote = each(&self.wrote);
            self.read = each(&self.read);
            self.granule = 0;
        }
    }

    /// An access of `size` bytes at `offset`; blocks with serials from `launch` on belong to the launch that runs.
    #[inline(always)]
    pub fn access(
        &mut self,
        bytes: usize,
        offset: usize,
        size: usize,
        kind: Kind,
        who: Who,
        launch: u32,
    ) -> Result<(), Race> {
        if self.wrote.is_empty() || size < 4 {
            self.prepare(bytes, size);
        }
        let me = record(who);
        let (first, last) = (offset >> self.granule, (offset + size - 1) >> self.granule);
        for word in first..=last {
            let (wrote, read) = (&mut self.wrote[word], &mut self.read[word]);
            match kind {
                Kind::Read => {
                    if !ordered(*wrote, me, launch) {
                        return Err(describe("a read", me, "written", *wrote));
                    }
                    *read = joined(*read, me, launch);
                }
                Kind::Write => {
                    if !ordered(*wrote, me, launch) {
                        return Err(describe("a write", me, "written", *wrote));
                    }
                    if !ordered(*read, me, launch) {
                        return Err(describe("a write", me, "read", *read));
                    }
                    *wrote = me;
                }
                Kind::Atomic => {
                    if *wrote & ATOMIC == 0 && !ordered(*wrote, me, launch) {
                        return Err(describe("an atomic operation", me, "written", *wrote));
                    }
                    if !ordered(*read, me, launch) {
                        return Err(describe("an atomic operation", me, "read", *read));
                    }
                    *wrote = if *wrote & ATOMIC == 0 { me } else { joined(*wrote, me, launch) } | ATOMIC;
                }
            }
        }
        Ok(())
    }

    /// Whether this launch wrote into the word (what the cache of read-only data does not see).
    pub fn written_in(&self, offset: usize, launch: u32) -> bool {
        self.wrote.get(offset >> self.granule).is_some_and(|record| (record >> SERIAL) as u32 >= launch)
    }
}

#[inline]
fn ordered(other: Record, me: Record, launch: u32) -> bool {
    if ((other >> SERIAL) as u32) < launch {
        return true;
    }
    if other & SEVERAL_BLOCKS != 0 || (other ^ me) >> SERIAL != 0 {
        return false;
    }
    // One block: a barrier between them, or the same thread.
    other >> EPOCH < me >> EPOCH || (other ^ me) & SEVERAL_THREADS == 0
}

/// The record of `me` and of what was there and is not ordered before it.
#[inline]
fn joined(other: Record, me: Record, launch: u32) -> Record {
    if ordered(other, me, launch) {
        me
    } else if other & SEVERAL_BLOCKS != 0 || (other ^ me) >> SERIAL != 0 {
        me | SEVERAL_BLOCKS
    } else {
        me | SEVERAL_THREADS
    }
}

#[cold]
fn describe(what: &str, me: Record, did: &str, other: Record) -> Race {
    let whom = if other & SEVERAL_BLOCKS != 0 {
        "threads of several blocks".to_string()
    } else if (other ^ me) >> SERIAL != 0 && other & SEVERAL_THREADS == SEVERAL_THREADS {
        "threads of another block".to_string()
    } else if (other ^ me) >> SERIAL != 0 {
        format!("thread {} of another block", (other & SEVERAL_THREADS) >> THREAD)
    } else if other & SEVERAL_THREADS == SEVERAL_THREADS {
        "several threads of the same block, with no barrier between".to_string()
    } else {
        format!("thread {} of the same block, with no barrier between", (other & SEVERAL_THREADS) >> THREAD)
    };
    let atomically = if did == "written" && other & ATOMIC != 0 { " atomically" } else { "" };
    Race(format!("{what} of what was {did}{atomically} by {whom}"))
}
