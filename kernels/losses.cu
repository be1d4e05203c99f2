// Losses, and the distance for anomaly maps. A loss is a mean: sums of parts in double, then finish_mean.
#include "losses.cuh"

// Writes the sum of term(value…) over this block's CHUNK values. The sum is in double.
template <class Term, class... Inputs>
__device__ inline void sum_chunk(double* partial, WarpSums& of_warps, int count, Term term, Inputs... inputs) {
    double sum = 0.0;
    over_chunk(blockIdx.x * CHUNK, count, [&](unsigned i, auto lanes) {
        auto terms = combine(term, load(inputs + i, lanes)...);
        for (float v : terms.v) sum += double(v);
    });
    sum = block_sum(sum, of_warps);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// Computes out = Σ partial / divisor.
// Launch: grid (1), block 256.
KERNEL(finish_mean, const double* partial, int parts, double divisor, float* out) {
    SHARED(WarpSums, of_warps);
    double sum = 0.0;
    for (int part = threadIdx.x; part < parts; part += BLOCK) sum += partial[part];
    sum = block_sum(sum, of_warps);
    if (threadIdx.x == 0) *out = float(sum / divisor);
}

// Computes Σ (a − b)² of each 4096 values.
// Launch: grid (⌈count / 4096⌉), block 256.
KERNEL(squared_error, const float* a, const float* b, double* partial, int count) {
    SHARED(WarpSums, of_warps);
    sum_chunk(partial, of_warps, count, [](float a, float b) { return (a - b) * (a - b); }, a, b);
}

// Computes dx = sign · 2 · dloss / count · (a − b). The sign is 1 for the gradient of a, −1 for that of b.
// Launch: grid (⌈count / 1024⌉), block 256.
KERNEL(squared_error_backward, const float* a, const float* b, const float* dloss, float* dx, float sign, int count, int accumulate) {
    float factor = sign * (2.0f * dloss[0] / float(count));
    map(dx, count, accumulate, [factor](float a, float b) { return factor * (a - b); }, a, b);
}

// Computes Σ h(a − b) of each 4096 values, with h(d) = ½d² for |d| < 1, else |d| − ½.
// Launch: grid (⌈count / 4096⌉), block 256.
KERNEL(smooth_l1, const float* a, const float* b, double* partial, int count) {
    SHARED(WarpSums, of_warps);
    auto distance = [](float a, float b) {
        float d = a - b, size = d < 0.0f ? -d : d;
        return size < 1.0f ? d * d * 0.5f : size - 0.5f;
    };
    sum_chunk(partial, of_warps, count, distance, a, b);
}

// Computes dx = dloss / count · h′(a − b): d for |d| < 1, else its sign.
// Launch: grid (⌈count / 1024⌉), block 256.
KERNEL(smooth_l1_backward, const float* a, const float* b, const float* dloss, float* dx, int count, int accumulate) {
    float factor = dloss[0] / float(count);
    auto gradient = [factor](float a, float b) {
        float d = a - b;
        return factor * (d >= 1.0f ? 1.0f : d <= -1.0f ? -1.0f : d);
    };
    map(dx, count, accumulate, gradient, a, b);
}

// The threads of one pixel: a warp, or a half or a quarter of it if the pixel has few packs.
struct PixelTeam {
    int threads;
    int thread;  // in the team
    int pixel;
    int channels;  // 0 for a team beyond the last pixel
    int offset;    // of the pixel's values

    __device__ inline PixelTeam(int pixels, int all_channels) {
        int packs = all_channels % 4 == 0 ? all_channels / 4 : all_channels;
        threads = packs > 16 ? 32 : packs > 8 ? 16 : 8;
        int teams = BLOCK / threads;
        thread = threadIdx.x % threads;
        pixel = blockIdx.x * teams + threadIdx.x / threads;
        channels = pixel < pixels ? all_channels : 0;
        offset = pixel * channels;
    }

    // All threads of a warp must come here, so a team without a pixel does, too.
    __device__ inline float sum(float value) const {
        for (int step = threads / 2; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
        return value;
    }

    // Returns Σ term(t, s) over the pixel's channels.
    template <int N, class Term> __device__ inline float sum(const float* t, const float* s, Lanes<N> lanes, Term term) const {
        float value = 0.0f;
        for (int c = thread * N; c < channels; c += threads * N) {
            Pack<N> terms = combine(term, load(t + c, lanes), load(s + c, lanes));
            for (float v : terms.v) value += v;
        }
        return sum(value);
    }
};

// The factors that make the norms of two vectors 1.
struct InverseNorms {
    float t, s;

    template <int N> __device__ inline InverseNorms(const PixelTeam& team, const float* t_values, const float* s_values, Lanes<N> lanes) {
        float t_squares = 0.0f, s_squares = 0.0f;
        for (int c = team.thread * N; c < team.channels; c += team.threads * N) {
            Pack<N> t_pack = load(t_values + c, lanes), s_pack = load(s_values + c, lanes);
            for (int k = 0; k < N; k++) {
                t_squares += t_pack.v[k] * t_pack.v[k];
                s_squares += s_pack.v[k] * s_pack.v[k];
            }
        }
        t = 1.0f / maximum(root(team.sum(t_squares)), NORM_FLOOR);
        s = 1.0f / maximum(root(team.sum(s_squares)), NORM_FLOOR);
    }
};

// The body of distance_map.
template <int N> __device__ inline void distance_of_pixel(const float* t, const float* s, float* map, int pixels, int channels) {
    constexpr Lanes<N> lanes{};
    PixelTeam team(pixels, channels);
    t += team.offset;
    s += team.offset;
    InverseNorms factors(team, t, s, lanes);
    float distance = team.sum(t, s, lanes, [&](float t, float s) {
        float difference = t * factors.t - s * factors.s;
        return difference * difference;
    });
    if (team.thread == 0 && team.pixel < pixels) map[team.pixel] = distance;
}

// Computes ‖t/‖t‖ − s/‖s‖‖² of each pixel.
//
// A pixel has 8 threads up to 8 packs, 16 up to 16 packs, else 32. Packs are channels / 4 if that is whole, else channels.
// Launch: grid (⌈pixels · threads / 256⌉), block 256.
KERNEL(distance_map, const float* t, const float* s, float* map, int pixels, int channels) {
    if (channels % 4 == 0) distance_of_pixel<4>(t, s, map, pixels, channels);
    else distance_of_pixel<1>(t, s, map, pixels, channels);
}

// Computes the sum of each 4096 values.
// Launch: grid (⌈count / 4096⌉), block 256.
KERNEL(sum_map, const float* map, double* partial, int count) {
    SHARED(WarpSums, of_warps);
    sum_chunk(partial, of_warps, count, [](float v) { return v; }, map);
}

// The body of similarity_backward.
template <int N>
__device__ inline void gradient_of_pixel(const float* t, const float* s, float scale, float* ds, int pixels, int channels,
                                         int accumulate) {
    constexpr Lanes<N> lanes{};
    PixelTeam team(pixels, channels);
    t += team.offset;
    s += team.offset;
    ds += team.offset;
    InverseNorms factors(team, t, s, lanes);
    float along = team.sum(t, s, lanes, [&](float t, float s) {
        float unit = s * factors.s;
        return (unit - t * factors.t) * unit;
    });
    SimilarityGradient gradient{scale, factors.t, factors.s, along};
    for (int c = team.thread * N; c < team.channels; c += team.threads * N) {
        store(ds + c, combine(gradient, load(t + c, lanes), load(s + c, lanes)), accumulate);
    }
}

// Computes the gradient of the mean of distance_map with respect to s: 2 · dloss / pixels / ‖s‖ · ((ŝ − t̂) − ŝ·⟨ŝ − t̂, ŝ⟩).
// Launch: that of distance_map.
KERNEL(similarity_backward, const float* t, const float* s, const float* dloss, float* ds, int pixels, int channels, int accumulate) {
    float scale = 2.0f * dloss[0] / float(pixels);
    if (channels % 4 == 0) gradient_of_pixel<4>(t, s, scale, ds, pixels, channels, accumulate);
    else gradient_of_pixel<1>(t, s, scale, ds, pixels, channels, accumulate);
}

// Computes out = weight · loss (+ so_far). so_far may be null. out may be so_far.
// Launch: grid (1), block 256.
KERNEL(weighted, const float* loss, const float* weight, const float* so_far, float* out) {
    if (threadIdx.x > 0) return;
    float value = weight[0] * loss[0];
    out[0] = so_far ? so_far[0] + value : value;
}
