// Batch norm over rows, which are the pixels of all images (Ioffe and Szegedy 2015), with the sum with a shortcut and ReLU.
//
// With x̂ = (z − μ)/√(σ² + ε), a = γ/√(σ² + ε): y = max(a·z + (β − a·μ) + shortcut, 0). Backward: g = dy where y > 0, which is also the
// gradient of the shortcut; dβ = Σ g, dγ = Σ g·x̂, dz = a·(g − mean(g) − x̂·mean(g·x̂)).
//
// Sums go over parts of the rows in f32. Parts are joined in double.
#include "sums.cuh"

// Rows per part of a sum.
constexpr int NORM_PART = 512;
// Values that a thread holds in norm_moments. With all threads they cover a part: 512 rows of TILE channels.
constexpr int HELD = NORM_PART * TILE / BLOCK;

// Returns the number of parts.
__device__ inline int norm_parts(int rows) {
    return (rows + NORM_PART - 1) / NORM_PART;
}

// The body of norm_moments. The values stay in registers between the two sums, so that memory is read once.
template <int N>
__device__ inline void moments_of_part(const float* z, float* partial, int rows, int channels, float* values, float* deviations,
                                       float* groups) {
    constexpr Lanes<N> lanes{};
    ColumnTile<N> tile(rows, channels, NORM_PART);
    Pack<N> held[HELD / N], sums = repeat(0.0f, lanes);
#pragma unroll
    for (int k = 0; k < HELD / N; k++) {
        int row = tile.row + k * tile.step;
        if (row < tile.rows) held[k] = load(z + tile.offset + row * channels, lanes);
    }
#pragma unroll
    for (int k = 0; k < HELD / N; k++) {
        if (tile.row + k * tile.step < tile.rows) {
            for (int j = 0; j < N; j++) sums.v[j] += held[k].v[j];
        }
    }
    put_sums(values, sums);
    column_totals(values, groups, tile.step, tile.columns);
    float count = minimum(rows - tile.part * NORM_PART, NORM_PART);
    Pack<N> means;
    for (int j = 0; j < N; j++) means.v[j] = values[threadIdx.x * N % tile.columns + j] / count;
    sums = repeat(0.0f, lanes);
#pragma unroll
    for (int k = 0; k < HELD / N; k++) {
        if (tile.row + k * tile.step < tile.rows) {
            for (int j = 0; j < N; j++) {
                float difference = held[k].v[j] - means.v[j];
                sums.v[j] += difference * difference;
            }
        }
    }
    put_sums(deviations, sums);
    column_totals(deviations, groups, tile.step, tile.columns);
    int column = threadIdx.x, channel = tile.first + column;
    if (column < tile.columns && channel < channels) {
        float* to = partial + tile.part * 2 * channels + channel;
        to[0] = values[column] / count;
        to[channels] = deviations[column];
    }
}

// Computes the mean and the sum of squared deviations of each part of 512 rows.
//
// partial is [⌈rows / 512⌉][2][channels].
// Launch: grid (⌈rows / 512⌉ · ⌈channels / 16⌉), block 256.
KERNEL_RESIDENT(norm_moments, 3, const float* z, float* partial, int rows, int channels) {
    SHARED(ColumnValues, values);
    SHARED(ColumnValues, deviations);
    SHARED(ColumnGroups, groups);
    if (channels % 4 == 0) moments_of_part<4>(z, partial, rows, channels, values, deviations, groups);
    else moments_of_part<1>(z, partial, rows, channels, values, deviations, groups);
}

// Joins the parts of norm_moments (Chan, Golub and LeVeque 1979, for many parts): with n rows of mean m and deviation d in each part,
// μ = Σ n·m / Σ n and σ² = Σ (d + n·(m − μ)²) / Σ n.
//
// Writes mean = μ, inverse = 1/√(σ² + ε), scale = γ·inverse and shift = β − μ·scale. batch_mean and batch_variance serve the running
// statistics; the variance is unbiased.
// Launch: grid (⌈channels / 4⌉), block 256.
KERNEL(norm_finish, const float* partial, const float* gamma, const float* beta, float epsilon, float* mean, float* inverse, float* scale,
       float* shift, float* batch_mean, float* batch_variance, int rows, int channels) {
    SHARED(FinishValues, values);
    SHARED(FinishGroups, groups);
    int parts = norm_parts(rows);
    auto count = [rows](int part) { return double(minimum(rows - part * NORM_PART, NORM_PART)); };
    double total = join_parts(parts, channels, values, groups, [=](int part, int channel) {
        return count(part) * partial[part * 2 * channels + channel];
    });
    double center = total / rows;
    double deviation = join_parts(parts, channels, values, groups, [=](int part, int channel) {
        const float* from = partial + part * 2 * channels + channel;
        double difference = from[0] - center;
        return from[channels] + count(part) * difference * difference;
    });
    int c = blockIdx.x * FINISH_CHANNELS + threadIdx.x;
    if (threadIdx.x < FINISH_CHANNELS && c < channels) {
        double factor = 1.0 / root(deviation / rows + double(epsilon));
        mean[c] = batch_mean[c] = float(center);
        inverse[c] = float(factor);
        scale[c] = float(factor * gamma[c]);
        shift[c] = float(beta[c] - center * factor * gamma[c]);
        // A single row has the variance 0.
        batch_variance[c] = float(deviation / maximum(rows - 1, 1));
    }
}

// Computes y = z·scale + shift (+ shortcut), then max(y, 0) if `relu`. NaN stays NaN. shortcut may be null. y may be z or shortcut.
// Launch: grid (⌈rows · channels / 1024⌉), block 256.
KERNEL(norm_apply, const float* z, const float* scale, const float* shift, const float* shortcut, float* y, int rows, int channels,
       int relu) {
    over_channels(rows * channels, channels, [&](unsigned i, auto lanes) {
        unsigned channel = i % unsigned(channels);
        auto values = combine([](float z, float scale, float shift) { return z * scale + shift; }, load(z + i, lanes),
                              load(scale + channel, lanes), load(shift + channel, lanes));
        if (shortcut) values = combine([](float y, float shortcut) { return y + shortcut; }, values, load(shortcut + i, lanes));
        if (relu) values = combine([](float y) { return y < 0.0f ? 0.0f : y; }, values);
        store(y + i, values);
    });
}

// Computes the scale and the shift that equal batch norm with given mean and variance.
// Launch: grid (⌈channels / 256⌉), block 256.
KERNEL(norm_folded, const float* gamma, const float* beta, const float* mean, const float* variance, float epsilon, float* scale,
       float* shift, int channels) {
    int c = blockIdx.x * BLOCK + threadIdx.x;
    if (c >= channels) return;
    float factor = gamma[c] / root(variance[c] + epsilon);
    scale[c] = factor;
    shift[c] = beta[c] - mean[c] * factor;
}

// The body of norm_sums.
template <int N>
__device__ inline void sums_of_part(const float* dy, const float* y, const float* z, const float* mean, float* partial, float* g, int rows,
                                    int channels, float* values, float* along_values, float* groups) {
    constexpr Lanes<N> lanes{};
    ColumnTile<N> tile(rows, channels, NORM_PART);
    Pack<N> means = repeat(0.0f, lanes), plain = means, along = means;
    if (tile.row < tile.rows) means = load(mean + tile.offset % channels, lanes);
#pragma unroll 4
    for (int row = tile.row; row < tile.rows; row += tile.step) {
        unsigned at = tile.offset + row * channels;
        Pack<N> gradient = load(dy + at, lanes), input = load(z + at, lanes);
        if (y) gradient = combine([](float dy, float y) { return y > 0.0f ? dy : 0.0f; }, gradient, load(y + at, lanes));
        if (g) store(g + at, gradient);
        for (int k = 0; k < N; k++) {
            plain.v[k] += gradient.v[k];
            along.v[k] += gradient.v[k] * (input.v[k] - means.v[k]);
        }
    }
    put_sums(values, plain);
    put_sums(along_values, along);
    column_totals(values, groups, tile.step, tile.columns);
    column_totals(along_values, groups, tile.step, tile.columns);
    int column = threadIdx.x, channel = tile.first + column;
    if (column < tile.columns && channel < channels) {
        float* to = partial + tile.part * 2 * channels + channel;
        to[0] = values[column];
        to[channels] = along_values[column];
    }
}

// Computes g = dy where y > 0, else 0, and the sums Σ g and Σ g·(z − mean) of each part of 512 rows.
//
// y may be null: g is then dy. g may be null: it is then not stored. g may be dy.
// partial is [⌈rows / 512⌉][2][channels].
// Launch: grid (⌈rows / 512⌉ · ⌈channels / 16⌉), block 256.
KERNEL(norm_sums, const float* dy, const float* y, const float* z, const float* mean, float* partial, float* g, int rows, int channels) {
    SHARED(ColumnValues, values);
    SHARED(ColumnValues, along_values);
    SHARED(ColumnGroups, groups);
    if (channels % 4 == 0) sums_of_part<4>(dy, y, z, mean, partial, g, rows, channels, values, along_values, groups);
    else sums_of_part<1>(dy, y, z, mean, partial, g, rows, channels, values, along_values, groups);
}

// Joins the parts of norm_sums: dγ = Σ g·(z − μ)·inverse, dβ = Σ g. With n rows, slope = scale·inverse²·Σ g·(z − μ)/n and
// level = scale·Σ g/n − slope·μ give the gradient of the input.
// Launch: grid (⌈channels / 4⌉), block 256.
KERNEL(norm_sums_finish, const float* partial, const float* inverse, const float* scale, const float* mean, float* dgamma, float* dbeta,
       int accumulate_parameters, float* slope, float* level, int rows, int channels) {
    SHARED(FinishValues, values);
    SHARED(FinishGroups, groups);
    int parts = norm_parts(rows);
    double plain = join_parts(parts, channels, values, groups, [=](int part, int channel) {
        return double(partial[part * 2 * channels + channel]);
    });
    double along = join_parts(parts, channels, values, groups, [=](int part, int channel) {
        return double(partial[(part * 2 + 1) * channels + channel]);
    });
    int c = blockIdx.x * FINISH_CHANNELS + threadIdx.x;
    if (threadIdx.x < FINISH_CHANNELS && c < channels) {
        double factor = inverse[c], a = scale[c];
        float of_gamma = float(along * factor), of_beta = float(plain);
        dgamma[c] = accumulate_parameters ? dgamma[c] + of_gamma : of_gamma;
        dbeta[c] = accumulate_parameters ? dbeta[c] + of_beta : of_beta;
        float of_z = float(a * factor * factor * along / rows);
        slope[c] = of_z;
        level[c] = float(a * plain / rows - double(of_z) * double(mean[c]));
    }
}

// Computes dz = g·scale − z·slope − level. dz may be g.
// Launch: grid (⌈rows · channels / 1024⌉), block 256.
KERNEL(norm_input_gradient, const float* g, const float* z, const float* scale, const float* slope, const float* level, float* dz,
       int rows, int channels) {
    over_channels(rows * channels, channels, [&](unsigned i, auto lanes) {
        unsigned channel = i % unsigned(channels);
        auto gradient = [](float g, float z, float scale, float slope, float level) { return g * scale - z * slope - level; };
        store(dz + i, combine(gradient, load(g + i, lanes), load(z + i, lanes), load(scale + channel, lanes), load(slope + channel, lanes),
                              load(level + channel, lanes)));
    });
}

// Moves running statistics towards those of a batch: running·(1 − momentum) + batch·momentum.
// Launch: grid (⌈channels / 256⌉), block 256.
KERNEL(track, float* running, const float* batch, float momentum, int channels) {
    int c = blockIdx.x * BLOCK + threadIdx.x;
    if (c < channels) running[c] = running[c] * (1.0f - momentum) + batch[c] * momentum;
}
