// Numbers. The text is compiled twice, with REAL as float and as double: f32's and f64's kernels.
//
// As on the CPU, what cancels is evaluated in a wider type and rounded once: `wide` is double for float, and
// double_double for double. Long sums of products are summed in it too. Nothing is contracted (--fmad=false): where a
// product and a sum are to be rounded once, `fused` says so.

typedef REAL real;
typedef long long index;
typedef unsigned long long bits64;
typedef unsigned char flag; // 0 or 1

#define INLINE static __device__ __forceinline__
#define THREADS 256 // of every block
#define KERNEL extern "C" __global__ void __launch_bounds__(THREADS)

// A loop that is compiled as it stands: every line of the PTX is then one that a test with few elements runs.
#define LOOP _Pragma("unroll 1") for

// The same of a loop that has a first turn whatever is given: DO { .. } while (..). Its first bound would never be met.
#define DO _Pragma("unroll 1") do

// Every thread of the grid takes the places first, first + step, first + 2 step, ...
#define EACH(i, count) LOOP (index i = first(); i < (count); i += step())

INLINE index first() { return (index)blockIdx.x * blockDim.x + threadIdx.x; }
INLINE index step() { return (index)gridDim.x * blockDim.x; }

INLINE float fused(float a, float b, float c) { return __fmaf_rn(a, b, c); }
INLINE double fused(double a, double b, double c) { return __fma_rn(a, b, c); }

INLINE bits64 bits_of(double x) { return (bits64)__double_as_longlong(x); }
INLINE double from_bits(bits64 bits) { return __longlong_as_double((long long)bits); }

INLINE double infinity() { return from_bits(0x7ff0000000000000ULL); }
INLINE double not_a_number() { return from_bits(0x7ff8000000000000ULL); }

INLINE bool is_nan(double x) { return x != x; }
INLINE bool is_finite(double x) { return (bits_of(x) >> 52 & 0x7ff) != 0x7ff; }
INLINE bool is_finite(float x) { return (__float_as_uint(x) >> 23 & 0xff) != 0xff; }
INLINE double magnitude(double x) { return from_bits(bits_of(x) & 0x7fffffffffffffffULL); }
INLINE float magnitude(float x) { return __uint_as_float(__float_as_uint(x) & 0x7fffffffU); }

// 2^k for -1022 <= k <= 1023.
INLINE double power_of_two(int k) { return from_bits((bits64)(1023 + k) << 52); }

// x 2^k for |k| <= 2000, rounded once: both factors keep a normal number in between exact.
INLINE double scale(double x, int k) { return x * power_of_two(k / 2) * power_of_two(k - k / 2); }

// floor(log2 |x|) of a finite x that is not 0.
INLINE int exponent(double x) {
    int biased = (int)(bits_of(x) >> 52 & 0x7ff);
    if (biased != 0) return biased - 1023;
    return (int)(bits_of(x * power_of_two(64)) >> 52 & 0x7ff) - 1023 - 64;
}
