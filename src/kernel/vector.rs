//! [`vectorised`]: the same loops, compiled for the widest vectors that this CPU has.

/// Runs `work` compiled for the CPU's widest vector instructions.
///
/// The compiler unrolls and vectorises what is inlined into `work`, and nothing else: helpers must be
/// `#[inline(always)]`, and threads that `work` starts do not inherit it. It never reorders or fuses floating-point
/// operations, so the result has the bits of `work()`.
#[inline]
pub fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    vectorised_on((), |()| work())
}

/// [`vectorised`] for a function of `operands`. A long closure is called and not inlined, and a closure cannot be marked
/// `#[inline(always)]`: a function can.
#[inline]
pub fn vectorised_on<A, R>(operands: A, work: impl FnOnce(A) -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx512f")
            && std::is_x86_feature_detected!("avx512vl")
            && std::is_x86_feature_detected!("avx512dq")
            && std::is_x86_feature_detected!("avx512bw")
            && std::is_x86_feature_detected!("fma")
        {
            // SAFETY: the CPU has every feature that the function is compiled for, as was asked above.
            return unsafe { with_avx512(operands, work) };
        }
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            // SAFETY: as above.
            return unsafe { with_avx2(operands, work) };
        }
    }
    work(operands)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,fma")]
fn with_avx512<A, R>(operands: A, work: impl FnOnce(A) -> R) -> R {
    work(operands)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2<A, R>(operands: A, work: impl FnOnce(A) -> R) -> R {
    work(operands)
}
