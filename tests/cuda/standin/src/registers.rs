//! The registers of a warp: of each register the values of all 32 threads side by side, so that an instruction is decoded once
//! for all threads that execute it together.

/// Threads of a warp. Kernels may not rely on it: which threads run together is the schedule's.
pub const LANES: usize = 32;

/// A set of a warp's threads.
pub type Mask = u32;

#[derive(Clone, Debug, Default)]
pub struct Registers {
    /// `.b16`, `.b32`, `.f32` (16 bits stand in the low half).
    pub r32: Vec<[u32; LANES]>,
    /// `.b64`, `.f64`.
    pub r64: Vec<[u64; LANES]>,
    pub predicates: Vec<Mask>,
}

/// Where a register stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    R32(usize),
    R64(usize),
    Predicate(usize),
}

impl Registers {
    /// One thread's value, without its sign.
    #[inline]
    pub fn get(&self, register: Register, lane: usize) -> u64 {
        match register {
            Register::R32(at) => u64::from(self.r32[at][lane]),
            Register::R64(at) => self.r64[at][lane],
            Register::Predicate(at) => u64::from(self.predicates[at] >> lane & 1),
        }
    }

    #[inline]
    pub fn set(&mut self, register: Register, lane: usize, value: u64) {
        match register {
            Register::R32(at) => self.r32[at][lane] = value as u32,
            Register::R64(at) => self.r64[at][lane] = value,
            Register::Predicate(at) => {
                self.predicates[at] = self.predicates[at] & !(1 << lane) | ((value as u32 & 1) << lane);
            }
        }
    }

    /// The same value in all threads.
    pub fn fill(&mut self, register: Register, value: u64) {
        for lane in 0..LANES {
            self.set(register, lane, value);
        }
    }
}

/// A file of registers.
pub trait Word: Copy + 'static {
    fn file(registers: &Registers) -> &Vec<[Self; LANES]>;
    fn file_mut(registers: &mut Registers) -> &mut Vec<[Self; LANES]>;
}

impl Word for u32 {
    fn file(registers: &Registers) -> &Vec<[u32; LANES]> {
        &registers.r32
    }
    fn file_mut(registers: &mut Registers) -> &mut Vec<[u32; LANES]> {
        &mut registers.r32
    }
}

impl Word for u64 {
    fn file(registers: &Registers) -> &Vec<[u64; LANES]> {
        &registers.r64
    }
    fn file_mut(registers: &mut Registers) -> &mut Vec<[u64; LANES]> {
        &mut registers.r64
    }
}

/// A type of PTX and the register that holds it.
pub trait Value: Copy + 'static {
    type Word: Word;
    fn of(word: Self::Word) -> Self;
    fn word(self) -> Self::Word;
}

macro_rules! value {
    ($type:ty, $word:ty, |$w:ident| $of:expr, |$v:ident| $to:expr) => {
        impl Value for $type {
            type Word = $word;
            #[inline(always)]
            fn of($w: $word) -> Self {
                $of
            }
            #[inline(always)]
            fn word(self) -> $word {
                let $v = self;
                $to
            }
        }
    };
}

value!(u32, u32, |w| w, |v| v);
value!(i32, u32, |w| w as i32, |v| v as u32);
value!(u16, u32, |w| w as u16, |v| u32::from(v));
value!(i16, u32, |w| w as i16, |v| u32::from(v as u16));
value!(u8, u32, |w| w as u8, |v| u32::from(v));
// In a register of 16 bits the sign goes on.
value!(i8, u32, |w| w as i8, |v| u32::from(i16::from(v) as u16));
value!(f32, u32, |w| f32::from_bits(w), |v| v.to_bits());
value!(u64, u64, |w| w, |v| v);
value!(i64, u64, |w| w as i64, |v| v as u64);
value!(f64, u64, |w| f64::from_bits(w), |v| v.to_bits());

/// An instruction between registers, for a set of threads.
pub type Alu = Box<dyn Fn(&mut Registers, Mask) + Send>;

#[inline(always)]
fn each(mask: Mask, mut f: impl FnMut(usize)) {
    let mut left = mask;
    while left != 0 {
        f(left.trailing_zeros() as usize);
        left &= left - 1;
    }
}

/// `d = f(a)`.
pub fn map1<A: Value, D: Value>(d: usize, a: usize, f: impl Fn(A) -> D + Send + 'static) -> Alu {
    Box::new(move |registers, mask| {
        if mask == Mask::MAX {
            let a = A::Word::file(registers)[a];
            let d = &mut D::Word::file_mut(registers)[d];
            for i in 0..LANES {
                d[i] = f(A::of(a[i])).word();
            }
        } else {
            each(mask, |i| {
                let value = f(A::of(A::Word::file(registers)[a][i]));
                D::Word::file_mut(registers)[d][i] = value.word();
            });
        }
    })
}

/// `d = f(a, b)`.
pub fn map2<A: Value, B: Value, D: Value>(
    d: usize,
    (a, b): (usize, usize),
    f: impl Fn(A, B) -> D + Send + 'static,
) -> Alu {
    Box::new(move |registers, mask| {
        if mask == Mask::MAX {
            let (a, b) = (A::Word::file(registers)[a], B::Word::file(registers)[b]);
            let d = &mut D::Word::file_mut(registers)[d];
            for i in 0..LANES {
                d[i] = f(A::of(a[i]), B::of(b[i])).word();
            }
        } else {
            each(mask, |i| {
                let value = f(A::of(A::Word::file(registers)[a][i]), B::of(B::Word::file(registers)[b][i]));
                D::Word::file_mut(registers)[d][i] = value.word();
            });
        }
    })
}

/// `d = f(a, b, c)`.
pub fn map3<A: Value, B: Value, C: Value, D: Value>(
    d: usize,
    (a, b, c): (usize, usize, usize),
    f: impl Fn(A, B, C) -> D + Send + 'static,
) -> Alu {
    Box::new(move |registers, mask| {
        if mask == Mask::MAX {
            let (a, b) = (A::Word::file(registers)[a], B::Word::file(registers)[b]);
            let c = C::Word::file(registers)[c];
            let d = &mut D::Word::file_mut(registers)[d];
            for i in 0..LANES {
                d[i] = f(A::of(a[i]), B::of(b[i]), C::of(c[i])).word();
            }
        } else {
            each(mask, |i| {
                let a = A::of(A::Word::file(registers)[a][i]);
                let b = B::of(B::Word::file(registers)[b][i]);
                let value = f(a, b, C::of(C::Word::file(registers)[c][i]));
                D::Word::file_mut(registers)[d][i] = value.word();
            });
        }
    })
}

/// The threads of `mask` for which `f(a, b)` holds, handed to `set` with `mask`.
pub fn test2<A: Value>(
    (a, b): (usize, usize),
    f: impl Fn(A, A) -> bool + Send + 'static,
    set: impl Fn(&mut Registers, Mask, Mask) + Send + 'static,
) -> Alu {
    Box::new(move |registers, mask| {
        let mut holds = 0;
        {
            let (a, b) = (&A::Word::file(registers)[a], &A::Word::file(registers)[b]);
            if mask == Mask::MAX {
                for i in 0..LANES {
                    holds |= Mask::from(f(A::of(a[i]), A::of(b[i]))) << i;
                }
            } else {
                each(mask, |i| holds |= Mask::from(f(A::of(a[i]), A::of(b[i]))) << i);
            }
        }
        set(registers, mask, holds);
    })
}

/// `d = p ? a : b`.
pub fn select<A: Value>(d: usize, (a, b): (usize, usize), p: usize) -> Alu {
    Box::new(move |registers, mask| {
        let p = registers.predicates[p];
        each(mask, |i| {
            let file = A::Word::file_mut(registers);
            file[d][i] = file[if p >> i & 1 == 1 { a } else { b }][i];
        });
    })
}
