// Conventions of all kernels. nvcc compiles them to PTX; g++ compiles the same source with emulation/emulation.h, for tests on a CPU.
//
// Both compilers must give the same bits. So every operation is one that IEEE 754 rounds: nvcc gets -fmad=false -ftz=false
// -prec-div=true -prec-sqrt=true, g++ gets -ffp-contract=off -mfma. Plain a * b + c is two operations; fma(a, b, c) is one.
#pragma once

#ifdef __CUDACC__
// A kernel for blocks of at most 256 threads.
#define KERNEL(name, ...) extern "C" __global__ void __launch_bounds__(256) name(__VA_ARGS__)
// The same, with registers limited so that a multiprocessor can hold this many blocks.
#define KERNEL_RESIDENT(name, blocks, ...) extern "C" __global__ void __launch_bounds__(256, blocks) name(__VA_ARGS__)
// Shared memory, aligned for load4 and store4. A type with brackets needs a typedef.
#define SHARED(type, name) __shared__ __align__(16) type name
#else
#include "emulation/emulation.h"
#endif

// ---- Arithmetic, each rounded to nearest once ----
// fma(a, b, c) for float and double comes from the compilers' own headers.

#ifdef __CUDACC__
__device__ __forceinline__ float mul(float a, float b) { return __fmul_rn(a, b); }
__device__ __forceinline__ float add(float a, float b) { return __fadd_rn(a, b); }
__device__ __forceinline__ float sub(float a, float b) { return __fsub_rn(a, b); }
__device__ __forceinline__ float divide(float a, float b) { return __fdiv_rn(a, b); }
__device__ __forceinline__ float root(float a) { return __fsqrt_rn(a); }
__device__ __forceinline__ double mul(double a, double b) { return __dmul_rn(a, b); }
__device__ __forceinline__ double add(double a, double b) { return __dadd_rn(a, b); }
__device__ __forceinline__ double sub(double a, double b) { return __dsub_rn(a, b); }
__device__ __forceinline__ double divide(double a, double b) { return __ddiv_rn(a, b); }
__device__ __forceinline__ double root(double a) { return __dsqrt_rn(a); }
#else
inline float mul(float a, float b) { return a * b; }
inline float add(float a, float b) { return a + b; }
inline float sub(float a, float b) { return a - b; }
inline float divide(float a, float b) { return a / b; }
inline float root(float a) { return __builtin_sqrtf(a); }
inline double mul(double a, double b) { return a * b; }
inline double add(double a, double b) { return a + b; }
inline double sub(double a, double b) { return a - b; }
inline double divide(double a, double b) { return a / b; }
inline double root(double a) { return __builtin_sqrt(a); }
#endif

// The second value wins only if it is larger, so a NaN in the first place stays. Check the second one where it can be NaN.
__device__ __forceinline__ int minimum(int a, int b) { return b < a ? b : a; }
__device__ __forceinline__ int maximum(int a, int b) { return a < b ? b : a; }
__device__ __forceinline__ long long minimum(long long a, long long b) { return b < a ? b : a; }
__device__ __forceinline__ long long maximum(long long a, long long b) { return a < b ? b : a; }
__device__ __forceinline__ float minimum(float a, float b) { return b < a ? b : a; }
__device__ __forceinline__ float maximum(float a, float b) { return a < b ? b : a; }
__device__ __forceinline__ double maximum(double a, double b) { return a < b ? b : a; }

// ---- Four values at once ----
// Both sides must be aligned to 16 bytes; the emulation checks it.

__device__ __forceinline__ float4 load4(const float* p) {
#ifndef __CUDACC__
    emulation::check_alignment(p, 16);
#endif
    return *reinterpret_cast<const float4*>(p);
}
__device__ __forceinline__ void store4(float* p, float4 v) {
#ifndef __CUDACC__
    emulation::check_alignment(p, 16);
#endif
    *reinterpret_cast<float4*>(p) = v;
}

// ---- Asynchronous copies from global to shared memory ----
// copy_async issues a copy of 4, 8 or 16 aligned bytes, or of zeros unless `inside`. copy_commit ends a group of copies. copy_wait<n>
// waits for the thread's own groups but the latest n; a barrier must follow before other threads read. The emulation fills the
// destination with NaNs until then.

#ifdef __CUDACC__
template <int bytes>
__device__ __forceinline__ void copy_async(float* shared, const float* global, bool inside = true) {
    static_assert(bytes == 4 || bytes == 8 || bytes == 16, "sizes that the instruction has");
    unsigned to = (unsigned)__cvta_generic_to_shared(shared);
    int from_memory = inside ? bytes : 0;
    if (bytes == 16) asm volatile("cp.async.cg.shared.global [%0], [%1], %2, %3;" ::"r"(to), "l"(global), "n"(16), "r"(from_memory) : "memory");
    else asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(to), "l"(global), "n"(bytes), "r"(from_memory) : "memory");
}
__device__ __forceinline__ void copy_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int left>
__device__ __forceinline__ void copy_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(left) : "memory");
}
#else
template <int bytes>
inline void copy_async(float* shared, const float* global, bool inside = true) {
    static_assert(bytes == 4 || bytes == 8 || bytes == 16, "sizes that the instruction has");
    emulation::copy_async(shared, global, bytes, inside);
}
inline void copy_commit() { emulation::copy_commit(); }
template <int left>
inline void copy_wait() {
    emulation::copy_wait(left);
}
#endif

// ---- Sums over threads ----

// The sum over a warp, the same bits in all lanes. All 32 lanes must call it.
template <class T>
__device__ __forceinline__ T warp_sum(T v) {
    for (int lanes = 16; lanes > 0; lanes /= 2) v = add(v, __shfl_xor_sync(0xffffffffu, v, lanes));
    return v;
}

// The sum over a block of whole warps, the same bits in all threads. All threads must call it. `sums` is shared memory for a value per
// warp; it may be used again after a barrier.
template <class T, int warps>
__device__ __forceinline__ T block_sum(T v, T (&sums)[warps]) {
    v = warp_sum(v);
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = v;
    __syncthreads();
    T sum = sums[0];
    for (int w = 1; w < (int)blockDim.x / 32; w++) sum = add(sum, sums[w]);
    return sum;
}

// ---- Elementary functions, within 2 units in the last place ----

// 2^n for n from -126 to 127
__device__ __forceinline__ float power_of_two(int n) { return __int_as_float((n + 127) << 23); }

__device__ __forceinline__ float exp_f32(float x) {
    if (x != x) return x;
    if (x > 88.722839f) return __int_as_float(0x7f800000);  // beyond the largest f32
    if (x < -103.97209f) return 0.0f;                        // below half of the smallest one
    // x = n·ln 2 + r with |r| ≤ ln 2 / 2. Adding and subtracting 1.5·2²³ rounds to an integer. ln 2 is the sum of two f32.
    float n = sub(fma(x, 1.44269504f, 12582912.0f), 12582912.0f);
    float r = fma(n, -0.693145752f, x);
    r = fma(n, -1.42860677e-6f, r);
    float p = 1.98756929e-4f;
    p = fma(p, r, 1.39819994e-3f);
    p = fma(p, r, 8.33345205e-3f);
    p = fma(p, r, 4.16657962e-2f);
    p = fma(p, r, 1.66666657e-1f);
    p = fma(p, r, 0.5f);
    p = fma(mul(r, r), p, r);
    p = add(p, 1.0f);
    // In two steps: 2^n itself can be below the smallest normal number, or above the largest one.
    int whole = (int)n, half = whole / 2;
    return mul(mul(p, power_of_two(half)), power_of_two(whole - half));
}

__device__ __forceinline__ float log_f32(float x) {
    if (x != x) return x;
    if (x < 0.0f) return __int_as_float(0x7fc00000);
    if (x == 0.0f) return -__int_as_float(0x7f800000);
    if (x == __int_as_float(0x7f800000)) return x;
    int exponent = 0;
    if (x < 1.17549435e-38f) {
        x = mul(x, 8388608.0f);
        exponent = -23;
    }
    // x = 2^exponent·(1 + m) with 1 + m from √½ to √2
    int bits = __float_as_int(x);
    int shift = (bits - 0x3f3504f3) >> 23;
    exponent += shift;
    float m = sub(__int_as_float(bits - (shift << 23)), 1.0f);
    float e = (float)exponent, square = mul(m, m);
    float p = 7.0376836292e-2f;
    p = fma(p, m, -1.1514610310e-1f);
    p = fma(p, m, 1.1676998740e-1f);
    p = fma(p, m, -1.2420140846e-1f);
    p = fma(p, m, 1.4249322787e-1f);
    p = fma(p, m, -1.6668057665e-1f);
    p = fma(p, m, 2.0000714765e-1f);
    p = fma(p, m, -2.4999993993e-1f);
    p = fma(p, m, 3.3333331174e-1f);
    p = mul(mul(p, m), square);
    p = fma(e, -2.12194440e-4f, p);
    p = fma(-0.5f, square, p);
    return fma(e, 0.693359375f, add(m, p));
}

__device__ __forceinline__ float tanh_f32(float x) {
    float size = x < 0.0f ? -x : x;
    if (!(size > 0.0f)) return x;  // NaN, and zeros with their sign
    if (size < 0.625f) {
        float square = mul(x, x);
        float p = -5.70498872745e-3f;
        p = fma(p, square, 2.06390887954e-2f);
        p = fma(p, square, -5.37397155531e-2f);
        p = fma(p, square, 1.33314422036e-1f);
        p = fma(p, square, -3.33332819422e-1f);
        return fma(mul(p, square), x, x);
    }
    float t = 1.0f;
    if (size < 9.5f) t = sub(1.0f, divide(2.0f, add(exp_f32(mul(2.0f, size)), 1.0f)));
    return x < 0.0f ? -t : t;
}
