// Tests of the emulation: it runs kernels right, and finds the mistakes that it is for.
//
//   g++ -std=c++20 -O2 -ffp-contract=off -mfma tests.cpp -o tests && ./tests      also with -fsanitize=address,undefined
#include "../common.cuh"

#include <cmath>

#include "expect_failure.h"

static void expect(bool right, const char* what) {
    if (right) return;
    printf("wrong: %s\n", what);
    failures++;
}

static const char* const orders[] = {"0", "1", "2", "3", "random:1", "random:2", "random:12345"};
static float nan_value() { return __int_as_float(0x7fc00000); }

// ---- Kernels ----

typedef float Values[256];
typedef float WarpValues[8];
typedef double WarpDoubles[8];

// Each thread reads what its mirror image wrote.
KERNEL(mirrored, const float* x, float* y) {
    SHARED(Values, values);
    int i = blockIdx.x * 256 + threadIdx.x;
    values[threadIdx.x] = x[i];
    __syncthreads();
    y[i] = values[255 - threadIdx.x];
}
KERNEL(mirrored_without_barrier, const float* x, float* y) {
    SHARED(Values, values);
    int i = blockIdx.x * 256 + threadIdx.x;
    values[threadIdx.x] = x[i];
    y[i] = values[255 - threadIdx.x];
}
// The second barrier, before the values are overwritten, is missing.
KERNEL(overwritten_too_early, const float* x, float* y) {
    SHARED(Values, values);
    float sum = 0;
    for (int turn = 0; turn < 3; turn++) {
        values[threadIdx.x] = x[threadIdx.x] * float(turn);
        __syncthreads();
        sum += values[(threadIdx.x + 1) % 256];
    }
    y[threadIdx.x] = sum;
}
KERNEL(depends_on_block_order, float* y) {
    if (threadIdx.x == 0) y[0] = y[0] * 0.5f + float(blockIdx.x);
}
KERNEL(written_after_end, float* y, int index) {
    SHARED(Values, values);
    values[threadIdx.x] = 1;
    __syncthreads();
    if (threadIdx.x == 3) *(volatile float*)(values + index) = 2;
    y[threadIdx.x] = values[threadIdx.x];
}
KERNEL(too_much_shared_memory, float* y) {
    typedef float Large[12 * 1024];
    SHARED(Large, large);
    SHARED(Values, more);
    large[threadIdx.x] = more[threadIdx.x] = 1;
    y[threadIdx.x] = large[threadIdx.x];
}
KERNEL(divergent_barrier, float* y, int returns) {
    if (threadIdx.x == 200) {
        if (returns) return;
        __syncthreads();
        y[0] = 1;
        return;
    }
    y[1] = 2;
    __syncthreads();
}
KERNEL(divergent_shuffle, float* y, int kind) {
    float v = float(threadIdx.x);
    if (kind == 0 && threadIdx.x == 7) return;
    if (kind == 1 && threadIdx.x >= 16) {
        __syncthreads();
        return;
    }
    if (kind == 2 && threadIdx.x % 2) v = __shfl_xor_sync(~0u, v, 2);
    else v = __shfl_xor_sync(kind == 3 ? 0xffffu : ~0u, v, 1);
    y[threadIdx.x] = v;
}
KERNEL(shared_at_first, float* y) {
    SHARED(Values, values);
    y[blockIdx.x * 256 + threadIdx.x] = values[threadIdx.x];
    values[threadIdx.x] = 1;
}
KERNEL(copied4, const float* x, float* y, int from, int to) { store4(y + to + 4 * threadIdx.x, load4(x + from + 4 * threadIdx.x)); }
KERNEL(deep_stack, float* y) {
    char page[4096 * 200];
    memset(page, (int)threadIdx.x, sizeof page);
    __syncthreads();
    y[0] = page[y[1] == 3 ? 1 : 2];
}

// Only even warps shuffle, a different number of times each.
KERNEL(shuffled, int* y) {
    int lane = (int)threadIdx.x % 32, warp = (int)threadIdx.x / 32, v = lane;
    if (warp % 2 == 0) {
        for (int turn = 0; turn <= warp; turn++) v = __shfl_xor_sync(~0u, v, 1 << turn % 5) + 1;
    }
    int* out = y + threadIdx.x * 8;
    out[0] = v;
    out[1] = __shfl_xor_sync(~0u, lane, 5);
    out[2] = __shfl_down_sync(~0u, lane, 3);
    out[3] = __shfl_up_sync(~0u, lane, 3);
    out[4] = __shfl_sync(~0u, lane, 9);
    out[5] = __shfl_down_sync(~0u, lane, 3, 8);
    out[6] = __shfl_sync(~0u, lane, 1, 8);
    out[7] = (int)(__shfl_xor_sync(~0u, 1e10 + lane, 31) - 1e10);
}
KERNEL(sums, const float* x, float* y, double* z, float* warps) {
    SHARED(WarpValues, floats);
    SHARED(WarpDoubles, doubles);
    float v = x[blockIdx.x * blockDim.x + threadIdx.x], sum = block_sum(v, floats);
    double exact = block_sum((double)v, doubles);
    y[blockIdx.x * blockDim.x + threadIdx.x] = sum;
    if (threadIdx.x == 0) z[blockIdx.x] = exact;
    float warp = warp_sum(v);
    if (threadIdx.x % 32 == 0) warps[(blockIdx.x * blockDim.x + threadIdx.x) / 32] = warp;
}
KERNEL(indices, int* y) {
    unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    y[block * (blockDim.x * blockDim.y * blockDim.z) + thread] += (int)(block * 1000 + thread);
}
// Copies two stages ahead. `wait` is what may still be missing when the values are read.
KERNEL(staged, const float* x, float* y, int stages, int wait, int commits) {
    typedef float Stages[3][256];
    SHARED(Stages, stage);
    int tid = (int)threadIdx.x;
    for (int s = 0; s < 2; s++) {
        copy_async<4>(&stage[s][tid], x + s * 256 + tid, s < stages);
        if (commits) copy_commit();
    }
    for (int s = 0; s < stages; s++) {
        copy_async<4>(&stage[(s + 2) % 3][tid], x + (s + 2) * 256 + tid, s + 2 < stages);
        if (commits) copy_commit();
        if (wait == 2) copy_wait<2>();
        else copy_wait<3>();
        __syncthreads();
        y[s * 256 + tid] = stage[s % 3][255 - tid];
        __syncthreads();
    }
    copy_wait<0>();
}
// a 16×8, b 8×8, d 16×8, by rows
KERNEL(product, const float* a, const float* b, float* d) {
    int lane = (int)threadIdx.x % 32, group = lane / 4, in = lane % 4;
    a += threadIdx.x / 32 * 128;
    d += threadIdx.x / 32 * 128;
    float fa[4] = {a[group * 8 + in], a[(group + 8) * 8 + in], a[group * 8 + in + 4], a[(group + 8) * 8 + in + 4]};
    float fb[2] = {b[in * 8 + group], b[(in + 4) * 8 + group]};
    float* to[4] = {d + group * 8 + in * 2, d + group * 8 + in * 2 + 1, d + (group + 8) * 8 + in * 2, d + (group + 8) * 8 + in * 2 + 1};
    float fd[4] = {*to[0], *to[1], *to[2], *to[3]};
    emulation::mma_m16n8k8(fd, fa, fb);
    for (int i = 0; i < 4; i++) *to[i] = fd[i];
}

// ---- Tests ----

static void test_orders() {
    std::vector<float> x(1024), first, early;
    for (int i = 0; i < 1024; i++) x[i] = float(i * 37 % 101);
    bool mistakes_differ = false, early_differs = false, blocks_differ = false;
    for (auto order : orders) {
        emulation::set_order(order);
        std::vector<float> y(1024, nan_value());
        emulation::run({4}, {256}, [&] { mirrored(x.data(), y.data()); });
        bool right = true;
        for (int i = 0; i < 1024; i++) right = right && y[i] == x[i / 256 * 256 + 255 - i % 256];
        expect(right, "values through shared memory");

        emulation::run({4}, {256}, [&] { mirrored_without_barrier(x.data(), y.data()); });
        if (first.empty()) first = y;
        mistakes_differ = mistakes_differ || memcmp(first.data(), y.data(), 4096) != 0;
        bool nans = false;
        for (float v : y) nans = nans || v != v;
        expect(nans, "a removed barrier shows as NaN");

        emulation::run({1}, {256}, [&] { overwritten_too_early(x.data(), y.data()); });
        if (early.empty()) early = y;
        early_differs = early_differs || memcmp(early.data(), y.data(), 1024) != 0;

        float last = 0;
        emulation::run({4}, {32}, [&] { depends_on_block_order(&last); });
        blocks_differ = blocks_differ || last != 4.25f;
    }
    expect(mistakes_differ, "results without a barrier differ between orders");
    expect(early_differs, "results without the second barrier differ between orders");
    expect(blocks_differ, "results that depend on the order of blocks differ");
    emulation::set_order("0");
    expect_failure("an unknown order", "expected 0, 1, 2, 3 or random", [] { emulation::set_order("4"); });

    int last = 0;
    std::vector<int> y(2 * 3 * 4 * 5 * 6 * 7);
    for (auto order : orders) {
        emulation::set_order(order);
        std::fill(y.begin(), y.end(), 0);
        emulation::run({2, 3, 4}, {5, 6, 7}, [&] { indices(y.data()); });
        for (int i = 0; i < (int)y.size(); i++) last += y[i] != i / 210 * 1000 + i % 210;
    }
    expect(last == 0, "each thread of each block runs once");
    emulation::set_order("0");
}

static void test_shared_memory() {
    std::vector<float> y(512);
    emulation::run({2}, {256}, [&] { shared_at_first(y.data()); });
    bool nans = true;
    for (float v : y) nans = nans && v != v;
    expect(nans, "shared memory is full of NaNs at first, in each block");
#if defined(__SANITIZE_ADDRESS__)
    const char *after = "AddressSanitizer", *before = after;
#else
    const char *after = "12 bytes after the end of values", *before = "4 bytes before the start of values";
#endif
    expect_failure("a write after a shared array", after, [&] { emulation::run({1}, {256}, [&] { written_after_end(y.data(), 259); }); });
    expect_failure("a write before a shared array", before, [&] { emulation::run({1}, {256}, [&] { written_after_end(y.data(), -1); }); });
    expect_failure("too much shared memory", "50176 bytes of shared memory are more than 49152",
                   [&] { emulation::run({1}, {256}, [&] { too_much_shared_memory(y.data()); }); });
}

static void test_divergence() {
    std::vector<float> y(256);
    for (auto order : orders) {
        auto fails = [&](const char* what, const char* message, void (*kernel)(float*, int), int kind, unsigned threads) {
            expect_failure(what, message, [&] {
                emulation::set_order(order);
                emulation::run({1}, {threads}, [&] { kernel(y.data(), kind); }, "wrong");
            });
        };
        fails("different barriers", "waits at the barrier at", divergent_barrier, 0, 256);
        fails("a thread that has returned before a barrier", "but thread (200, 0, 0) has returned", divergent_barrier, 1, 256);
        fails("a lane that has returned before a shuffle", "which not all threads of the warp reach", divergent_shuffle, 0, 32);
        fails("lanes at a barrier while others shuffle", "which not all threads of the warp reach", divergent_shuffle, 1, 32);
        fails("lanes at different shuffles", "of the same warp at the one at", divergent_shuffle, 2, 32);
        fails("a shuffle of some lanes", "only all lanes are supported", divergent_shuffle, 3, 32);
    }
    expect_failure("a block that is too large", "a block of 1025 threads", [&] { emulation::run({1}, {1025}, [&] { copied4(y.data(), y.data(), 0, 0); }); });
    expect_failure("a stack that is too large", "", [&] { emulation::run({1}, {2}, [&] { deep_stack(y.data()); }); });
}

static void test_alignment() {
    alignas(16) float x[16] = {}, y[16];
    emulation::run({1}, {2}, [&] { copied4(x, y, 4, 4); });
    expect(y[11] == 0, "an aligned copy");
    expect_failure("a load that is not aligned", "is not aligned to 16 bytes", [&] { emulation::run({1}, {2}, [&] { copied4(x, y, 1, 0); }); });
    expect_failure("a store that is not aligned", "is not aligned to 16 bytes", [&] { emulation::run({1}, {2}, [&] { copied4(x, y, 0, 2); }); });
}

static void test_warps() {
    for (auto order : orders) {
        emulation::set_order(order);
        std::vector<int> y(256 * 8);
        emulation::run({1}, {256}, [&] { shuffled(y.data()); });
        int wrong = 0;
        for (int t = 0; t < 256; t++) {
            int lane = t % 32, warp = t / 32, v = lane;
            // Before a turn, v is some lane's number plus the number of turns.
            for (int turn = 0; warp % 2 == 0 && turn <= warp; turn++) v = ((v - turn) ^ (1 << turn % 5)) + turn + 1;
            int want[] = {v, lane ^ 5, lane + 3 < 32 ? lane + 3 : lane, lane >= 3 ? lane - 3 : lane, 9, lane % 8 + 3 < 8 ? lane + 3 : lane, lane / 8 * 8 + 1, 31 - lane};
            for (int i = 0; i < 8; i++) wrong += y[t * 8 + i] != want[i];
        }
        expect(wrong == 0, "shuffles");

        std::vector<float> x(1024), s(1024), w(32);
        std::vector<double> z(4);
        for (int i = 0; i < 1024; i++) x[i] = float(i * 7919 % 1009) / 3;
        emulation::run({4}, {256}, [&] { sums(x.data(), s.data(), z.data(), w.data()); });
        for (int b = 0; b < 4; b++) {
            double sum = 0, warp = 0;
            for (int i = 0; i < 256; i++) {
                sum += x[b * 256 + i];
                warp = (i % 32 ? warp : 0) + x[b * 256 + i];
                if (i % 32 == 31) wrong += std::fabs(w[b * 8 + i / 32] - warp) > 1e-6 * warp;
            }
            wrong += std::fabs(z[b] - sum) > 1e-12 * sum || std::fabs(s[b * 256] - sum) > 1e-6 * sum;
            for (int i = 1; i < 256; i++) wrong += s[b * 256 + i] != s[b * 256];
        }
        expect(wrong == 0, "sums of warps and blocks");
    }
    emulation::set_order("0");
}

static void test_asynchronous_copies() {
    std::vector<float> x(5 * 256), y(5 * 256), z(5 * 256);
    for (size_t i = 0; i < x.size(); i++) x[i] = float(i);
    emulation::run({1}, {256}, [&] { staged(x.data(), y.data(), 5, 2, 1); });
    bool right = true, nans = false;
    for (int i = 0; i < 5 * 256; i++) right = right && y[i] == x[i / 256 * 256 + 255 - i % 256];
    expect(right, "asynchronous copies");
    emulation::run({1}, {256}, [&] { staged(x.data(), z.data(), 5, 3, 1); });
    for (float v : z) nans = nans || v != v;
    expect(nans, "waiting for too few copies shows as NaN");
    expect_failure("copies that are not waited for", "returns without waiting",
                   [&] { emulation::run({1}, {256}, [&] { staged(x.data(), y.data(), 5, 2, 0); }); });
}

static void test_matrix_product() {
    std::vector<float> a(256), b(64), d(256), before;
    for (int i = 0; i < 256; i++) a[i] = float(i * 37 % 89) / 64 - 0.5f, d[i] = float(i % 13);
    for (int i = 0; i < 64; i++) b[i] = float(i * 53 % 97) / 32 - 1;
    before = d;
    for (auto order : orders) {
        emulation::set_order(order);
        d = before;
        emulation::run({1}, {64}, [&] { product(a.data(), b.data(), d.data()); });
        int wrong = 0;
        for (int r = 0; r < 32; r++) {
            for (int c = 0; c < 8; c++) {
                double sum = before[r * 8 + c];
                for (int k = 0; k < 8; k++) sum += double(a[r * 8 + k]) * b[k * 8 + c];
                wrong += d[r * 8 + c] != (float)sum;
            }
        }
        expect(wrong == 0, "matrix product of a warp");
    }
    emulation::set_order("0");
    a[5] = 1.0f / 3;
    expect_failure("an operand that is not TF32", "is not rounded to TF32", [&] { emulation::run({1}, {64}, [&] { product(a.data(), b.data(), d.data()); }); });
}

// Distance from the exact value in units in the last place.
static double units(float got, double want) {
    if (std::isnan(want)) return std::isnan(got) ? 0 : 1e9;
    if (std::isinf((float)want) || std::isinf(got)) return (float)want == got ? 0 : 1e9;
    int exponent;
    std::frexp(std::fabs(want), &exponent);
    return std::fabs(got - want) / std::ldexp(1.0, std::max(exponent - 24, -149));
}
static void test_functions() {
    double worst[3] = {};
    auto check = [&](float x) {
        double error[3] = {units(exp_f32(x), std::exp((double)x)), units(log_f32(x), std::log((double)x)), units(tanh_f32(x), std::tanh((double)x))};
        for (int i = 0; i < 3; i++) worst[i] = std::max(worst[i], error[i]);
    };
    for (uint64_t bits = 0; bits < 1ull << 32; bits += 1021) check(__uint_as_float((unsigned)bits));
    for (int i = -2000000; i <= 2000000; i++) check(float(i) / 16384);
    for (int i = -200000; i <= 200000; i++) check(1.0f + float(i) / 8388608);
    const float infinity = __int_as_float(0x7f800000), smallest = __int_as_float(1);
    for (float x : {0.0f, -0.0f, infinity, -infinity, nan_value(), smallest, -smallest, 88.72283f, 88.72284f, 89.0f, -87.33655f, -103.97207f, -103.97208f, -104.0f}) check(x);
    printf("largest errors in units in the last place: exp %.2f, log %.2f, tanh %.2f\n", worst[0], worst[1], worst[2]);
    expect(worst[0] <= 2, "exp");
    expect(worst[1] <= 2, "log");
    expect(worst[2] <= 2, "tanh");
    expect(std::signbit(tanh_f32(-0.0f)) && tanh_f32(-0.0f) == 0, "tanh of minus zero");
    expect(log_f32(0.0f) == -infinity && log_f32(-0.0f) == -infinity && log_f32(-1.0f) != log_f32(-1.0f), "log of zero and of negative numbers");
    expect(exp_f32(0.0f) == 1 && exp_f32(-infinity) == 0 && exp_f32(infinity) == infinity && log_f32(1.0f) == 0, "exact values");
}

static void test_launch() {
    auto at = emulation::kernels().find("copied4");
    expect(at != emulation::kernels().end(), "kernels are known by name");
    expect(at->second.arguments.size() == 4 && at->second.arguments[0].pointer && at->second.arguments[0].bytes == 8 && at->second.arguments[2].bytes == 4 &&
               !at->second.arguments[2].pointer,
           "arguments of kernels are known");
    alignas(16) float x[4] = {1, 2, 3, 4}, y[4] = {};
    const float* from = x;
    float* to = y;
    int zero = 0;
    void* arguments[] = {&from, &to, &zero, &zero};
    emulation::launch(at->second, {1}, {1}, arguments);
    expect(memcmp(x, y, 16) == 0, "a launch by name");
}

int main() {
    test_orders();
    test_shared_memory();
    test_divergence();
    test_alignment();
    test_warps();
    test_asynchronous_copies();
    test_matrix_product();
    test_functions();
    test_launch();
    if (!failures) printf("the emulation is right\n");
    return failures ? 1 : 0;
}
