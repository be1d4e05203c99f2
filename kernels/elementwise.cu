// Operations on each value or pixel separately. Tensors are NHWC.
#include "values.cuh"

// Computes y = value.
// Launch: grid (⌈count / 1024⌉), block 256.
KERNEL(fill, float* y, float value, int count) {
    flat_round(blockIdx.x * ROUND, count, [&](unsigned i, auto lanes) {
        store(y + i, repeat(value, lanes));
    });
}

// Computes y = max(x, 0). NaN stays NaN.
// Launch: grid (⌈count / 1024⌉), block 256.
KERNEL(relu, const float* x, float* y, int count) {
    map(y, count, 0, [](float x) { return x < 0.0f ? 0.0f : x; }, x);
}

// Computes dx = dy where y > 0, else 0.
// Launch: grid (⌈count / 1024⌉), block 256.
KERNEL(relu_backward, const float* dy, const float* y, float* dx, int count, int accumulate) {
    map(dx, count, accumulate, [](float dy, float y) { return y > 0.0f ? dy : 0.0f; }, dy, y);
}

// Slope of the leaky ReLU below 0.
constexpr float LEAK = 0.01f;

// Computes y = x where x ≥ 0, else LEAK · x.
// Launch: grid (⌈count / 1024⌉), block 256.
KERNEL(leaky_relu, const float* x, float* y, int count) {
    map(y, count, 0, [](float x) { return x < 0.0f ? LEAK * x : x; }, x);
}

// Computes dx = dy where x > 0, else LEAK · dy.
// Launch: grid (⌈count / 1024⌉), block 256.
KERNEL(leaky_relu_backward, const float* dy, const float* x, float* dx, int count, int accumulate) {
    map(dx, count, accumulate, [](float dy, float x) { return dy * (x > 0.0f ? 1.0f : LEAK); }, dy, x);
}

// √(2/π), the scale in GELU.
constexpr float GELU_SCALE = 0.7978846f;
// Factor of x³ in GELU.
constexpr float GELU_CUBE = 0.044715f;

// Returns the hyperbolic tangent in GELU.
__device__ inline float gelu_tanh(float x) {
    return tanh_f32(GELU_SCALE * (x + GELU_CUBE * x * x * x));
}

// Computes y = ½x(1 + t) with t = tanh(√(2/π)(x + 0.044715x³)).
// Launch: grid (⌈count / 1024⌉), block 256.
KERNEL(gelu, const float* x, float* y, int count) {
    map(y, count, 0, [](float x) { return 0.5f * x * (1.0f + gelu_tanh(x)); }, x);
}

// Computes dx = dy · (½(1 + t) + ½x(1 − t²)u′), where t is the hyperbolic tangent of u.
// Launch: grid (⌈count / 1024⌉), block 256.
KERNEL(gelu_backward, const float* dy, const float* x, float* dx, int count, int accumulate) {
    auto gradient = [](float dy, float x) {
        float t = gelu_tanh(x);
        float slope = 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * GELU_SCALE * (1.0f + 3.0f * GELU_CUBE * x * x);
        return dy * slope;
    };
    map(dx, count, accumulate, gradient, dy, x);
}

// Computes y = a + b.
// Launch: grid (⌈count / 1024⌉), block 256.
KERNEL(sum, const float* a, const float* b, float* y, int count) {
    map(y, count, 0, [](float a, float b) { return a + b; }, a, b);
}

// Computes y = (a + b) / 2.
// Launch: grid (⌈count / 1024⌉), block 256.
KERNEL(average, const float* a, const float* b, float* y, int count) {
    map(y, count, 0, [](float a, float b) { return (a + b) * 0.5f; }, a, b);
}

// Computes y = x · factor, value by value.
// Launch: grid (⌈count / 1024⌉), block 256.
KERNEL(scaled, const float* x, const float* factor, float* y, int count, int accumulate) {
    map(y, count, accumulate, [](float x, float factor) { return x * factor; }, x, factor);
}

// Computes y = factor · x, or y += factor · x.
// Launch: grid (⌈count / 1024⌉), block 256.
KERNEL(axpy, const float* x, float factor, float* y, int count, int accumulate) {
    map(y, count, accumulate, [factor](float x) { return factor * x; }, x);
}

// Concatenates the channels of a and b, pixel by pixel.
// Launch: grid (⌈pixels · (channels_a + channels_b) / 1024⌉), block 256.
KERNEL(concat, const float* a, const float* b, float* y, int pixels, int channels_a, int channels_b) {
    unsigned left = channels_a, right = channels_b, both = left + right;
    // Packs need both parts to start at a multiple of four.
    bool packed = left % 4 == 0 && right % 4 == 0;
    round_of_values(blockIdx.x * ROUND, pixels * both, packed, [&](unsigned i, auto lanes) {
        unsigned pixel = i / both, channel = i % both;
        const float* from = channel < left ? a + pixel * left + channel : b + pixel * right + (channel - left);
        store(y + i, load(from, lanes));
    });
}

// Computes dx = dy[:, offset .. offset + channels], where dy has `both` channels.
// Launch: grid (⌈pixels · channels / 1024⌉), block 256.
KERNEL(concat_backward, const float* dy, float* dx, int pixels, int channels, int offset, int both, int accumulate) {
    unsigned width = channels;
    bool packed = channels % 4 == 0 && offset % 4 == 0 && both % 4 == 0;
    round_of_values(blockIdx.x * ROUND, pixels * width, packed, [&](unsigned i, auto lanes) {
        unsigned pixel = i / width, channel = i % width;
        store(dx + i, load(dy + pixel * both + offset + channel, lanes), accumulate);
    });
}

// Position of a value in a tensor NHWC.
struct Position {
    int image, row, column, channel;

    __device__ inline Position(unsigned index, unsigned height, unsigned width, unsigned channels) {
        unsigned pixel = index / channels, line = pixel / width;
        channel = index % channels;
        column = pixel % width;
        row = line % height;
        image = line / height;
    }
};

// Computes y[n, i, j] = Σ over row taps t of i, Σ over column taps u of j: weight_t · weight_u · x[n, source_t, source_u].
//
// The taps of row i are those from row_starts[i] to row_starts[i + 1]; columns alike. Without taps, y is 0. The transposed tables give
// the gradient.
// Launch: grid (⌈images · out_height · out_width · channels / 1024⌉), block 256.
KERNEL(resample, const float* x, float* y, const int* row_starts, const int* row_sources, const float* row_weights,
       const int* column_starts, const int* column_sources, const float* column_weights, int images, int height, int width, int channels,
       int out_height, int out_width, int accumulate) {
    over_channels(images * out_height * out_width * channels, channels, [&](unsigned i, auto lanes) {
        Position at(i, out_height, out_width, channels);
        auto sums = repeat(0.0f, lanes);
        int first = column_starts[at.column], end = column_starts[at.column + 1];
        for (int t = row_starts[at.row]; t < row_starts[at.row + 1]; t++) {
            const float* line = x + (at.image * height + row_sources[t]) * width * channels + at.channel;
            for (int u = first; u < end; u++) {
                float weight = row_weights[t] * column_weights[u];
                auto values = load(line + column_sources[u] * channels, lanes);
                for (int k = 0; k < lanes.count; k++) sums.v[k] += weight * values.v[k];
            }
        }
        store(y + i, sums, accumulate);
    });
}

// Winners are bytes: four lanes are stored as one word.
__device__ inline void store_winners(unsigned char* to, const unsigned (&taps)[4]) {
    *reinterpret_cast<unsigned*>(to) = taps[0] | taps[1] << 8 | taps[2] << 16 | taps[3] << 24;
}
__device__ inline void store_winners(unsigned char* to, const unsigned (&taps)[1]) {
    *to = static_cast<unsigned char>(taps[0]);
}
__device__ inline void load_winners(const unsigned char* from, unsigned (&taps)[4]) {
    unsigned word = *reinterpret_cast<const unsigned*>(from);
    for (int k = 0; k < 4; k++) taps[k] = word >> 8 * k & 255;
}
__device__ inline void load_winners(const unsigned char* from, unsigned (&taps)[1]) {
    taps[0] = *from;
}

// Computes the 3×3 maximum with stride 2 and padding 1. A winner is the tap 0 to 8 of the first of equal maxima. NaN exceeds all.
// winners may be null.
// Launch: grid (⌈images · out_height · out_width · channels / 1024⌉), block 256.
KERNEL(max_pool, const float* x, float* y, unsigned char* winners, int images, int height, int width, int channels, int out_height,
       int out_width) {
    over_channels(images * out_height * out_width * channels, channels, [&](unsigned i, auto lanes) {
        Position at(i, out_height, out_width, channels);
        auto largest = repeat(__int_as_float(0xff800000), lanes);  // −∞
        unsigned taps[lanes.count] = {};
        for (unsigned tap = 0; tap < 9; tap++) {
            int row = 2 * at.row - 1 + int(tap / 3), column = 2 * at.column - 1 + int(tap % 3);
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            auto values = load(x + ((at.image * height + row) * width + column) * channels + at.channel, lanes);
            for (int k = 0; k < lanes.count; k++) {
                float v = values.v[k];
                bool wins = v > largest.v[k] || v != v;
                largest.v[k] = wins ? v : largest.v[k];
                taps[k] = wins ? tap : taps[k];
            }
        }
        store(y + i, largest);
        if (winners) store_winners(winners + i, taps);
    });
}

// Computes the gradient of max_pool. Each input sums the outputs that it won, in their order, so that no two threads share a sum.
// Launch: grid (⌈images · height · width · channels / 1024⌉), block 256.
KERNEL(max_pool_backward, const float* dy, const unsigned char* winners, float* dx, int images, int height, int width, int channels,
       int out_height, int out_width, int accumulate) {
    over_channels(images * height * width * channels, channels, [&](unsigned i, auto lanes) {
        Position at(i, height, width, channels);
        auto sums = repeat(0.0f, lanes);
        // Window r covers the rows 2r − 1 to 2r + 1.
        for (int row = at.row / 2; row <= minimum((at.row + 1) / 2, out_height - 1); row++) {
            for (int column = at.column / 2; column <= minimum((at.column + 1) / 2, out_width - 1); column++) {
                unsigned tap = (at.row + 1 - 2 * row) * 3 + (at.column + 1 - 2 * column);
                int from = ((at.image * out_height + row) * out_width + column) * channels + at.channel;
                auto gradient = load(dy + from, lanes);
                unsigned taps[lanes.count];
                load_winners(winners + from, taps);
                for (int k = 0; k < lanes.count; k++) sums.v[k] += taps[k] == tap ? gradient.v[k] : 0.0f;
            }
        }
        store(dx + i, sums, accumulate);
    });
}
