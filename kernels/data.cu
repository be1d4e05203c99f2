// Moves of values, and sums over the rows of a matrix.
#include "sums.cuh"

// Copies the rows with these indices. The offset of a row may exceed 32 bits.
// Launch: grid (count · ⌈columns / 1024⌉), block 256.
KERNEL(gather, const float* rows, const int* indices, float* y, int count, long long columns) {
    unsigned rounds = gridDim.x / count, width = unsigned(columns);
    long long row = blockIdx.x / rounds;
    const float* from = rows + indices[row] * columns;
    round_of_values(blockIdx.x % rounds * ROUND, width, width % 4 == 0, [&](unsigned i, auto lanes) {
        store(y + row * columns + i, load(from + i, lanes));
    });
}

// Returns where a value of an image (images, 2·height, 2·width, output) lies among the blocks (images, height, width, 2, 2, output).
struct BlockPlace {
    int channel;
    unsigned index;

    __device__ inline BlockPlace(unsigned i, unsigned width, unsigned output) {
        unsigned pixel = i / output, line = pixel / (2 * width), column = pixel % (2 * width);
        channel = i % output;
        // Two lines belong to one row of blocks, as images have an even number of lines.
        index = ((line / 2 * width + column / 2) * 4 + line % 2 * 2 + column % 2) * output + channel;
    }
};

// Cuts an image into blocks of 2×2 pixels: (images, 2·height, 2·width, output) to (images, height, width, 2, 2, output).
// Launch: grid (⌈4 · images · height · width · output / 1024⌉), block 256.
KERNEL(blocks_of, const float* image, float* blocks, int images, int height, int width, int output) {
    over_channels(4 * images * height * width * output, output, [&](unsigned i, auto lanes) {
        store(blocks + BlockPlace(i, width, output).index, load(image + i, lanes));
    });
}

// Does the reverse of blocks_of and adds a value per channel. bias may be null.
// Launch: grid (⌈4 · images · height · width · output / 1024⌉), block 256.
KERNEL(image_of, const float* blocks, float* image, const float* bias, int images, int height, int width, int output) {
    over_channels(4 * images * height * width * output, output, [&](unsigned i, auto lanes) {
        BlockPlace place(i, width, output);
        auto values = load(blocks + place.index, lanes);
        if (bias) values = combine([](float v, float bias) { return v + bias; }, values, load(bias + place.channel, lanes));
        store(image + i, values);
    });
}

// Rows per part of column_sums.
constexpr int SUM_PART = 1024;

// The body of column_sums.
template <int N>
__device__ inline void column_sums_of_part(const float* x, float* partial, int rows, int channels, float* values, float* groups) {
    constexpr Lanes<N> lanes{};
    ColumnTile<N> tile(rows, channels, SUM_PART);
    Pack<N> sums = repeat(0.0f, lanes);
#pragma unroll 8
    for (int row = tile.row; row < tile.rows; row += tile.step) {
        sums = combine([](float sum, float x) { return sum + x; }, sums, load(x + tile.offset + row * channels, lanes));
    }
    put_sums(values, sums);
    column_totals(values, groups, tile.step, tile.columns);
    int column = threadIdx.x, channel = tile.first + column;
    if (column < tile.columns && channel < channels) partial[tile.part * channels + channel] = values[column];
}

// Computes the sum of each channel over each part of 1024 rows.
//
// partial is [⌈rows / 1024⌉][channels].
// Launch: grid (⌈rows / 1024⌉ · ⌈channels / 16⌉), block 256.
KERNEL(column_sums, const float* x, float* partial, int rows, int channels) {
    SHARED(ColumnValues, values);
    SHARED(ColumnGroups, groups);
    if (channels % 4 == 0) column_sums_of_part<4>(x, partial, rows, channels, values, groups);
    else column_sums_of_part<1>(x, partial, rows, channels, values, groups);
}

// Joins the parts of column_sums.
// Launch: grid (⌈channels / 4⌉), block 256.
KERNEL(column_sums_finish, const float* partial, float* y, int rows, int channels, int accumulate) {
    SHARED(FinishValues, values);
    SHARED(FinishGroups, groups);
    double sum = join_parts((rows + SUM_PART - 1) / SUM_PART, channels, values, groups, [=](int part, int channel) {
        return double(partial[part * channels + channel]);
    });
    int c = blockIdx.x * FINISH_CHANNELS + threadIdx.x;
    if (threadIdx.x < FINISH_CHANNELS && c < channels) y[c] = accumulate ? y[c] + float(sum) : float(sum);
}
