// Convolutions in f32. See convolution.cuh for the structure.
//
// A sum runs over the reduction in order of (kernel row, kernel column, channel), or of pixels, with one fma each. Tiles with several
// groups, and splits, add up sums of fixed ranges in order. So bits depend on the tile and on the number of splits, which the host
// chooses by the shape alone.
#include "convolution.cuh"

namespace convolution {

struct F32 {
    static constexpr int together = 4;  // sums next to each other in a row
    static constexpr int next_row = 8;  // sums further on is the other row of a quarter
    static constexpr bool rounds = false;
    template <int SIZE, int DEPTH> using DepthRows = ByDepth<SIZE, DEPTH, 4>;
    template <int SIZE, int DEPTH> using DepthTogether = ByDepth<SIZE, DEPTH, 4>;

    static __device__ __forceinline__ float operand(float v) { return v; }
    static __device__ __forceinline__ float4 operand(float4 v) { return v; }

    // A thread has 8 × 8 sums: rows in two quads 16 apart, columns in two quads 32 apart. Lanes that differ in bit 0 share rows, those
    // that differ in bit 1 share columns: then the memory serves a half-warp's quads at once.
    static __device__ __forceinline__ int lane_row() { return (threadIdx.x / 2 % 2 + threadIdx.x / 16 % 2 * 2) * 4; }
    static __device__ __forceinline__ int lane_column() { return (threadIdx.x % 2 + threadIdx.x / 4 % 4 * 2) * 4; }
    static __device__ __forceinline__ int row(int e) { return lane_row() + e / 32 * 16 + e / 8 % 4; }
    static __device__ __forceinline__ int column(int e) { return lane_column() + e / 4 % 2 * 32 + e % 4; }

    template <class Tile, class LayoutA, class LayoutB>
    static __device__ __forceinline__ void multiply(const float* a, const float* b, float (&sums)[SUMS]) {
        const float* rows = a + LayoutA::at(Tile::warp_row() + lane_row(), Tile::group() * Tile::group_depth);
        const float* columns = b + LayoutB::at(Tile::warp_column() + lane_column(), Tile::group() * Tile::group_depth);
#pragma unroll
        for (int k = 0; k < Tile::group_depth; k++) {
            float4 r[2], c[2];
#pragma unroll
            for (int half = 0; half < 2; half++) {
                r[half] = load4(rows + LayoutA::at(half * 16, k));
                c[half] = load4(columns + LayoutB::at(half * 32, k));
            }
            float u[8] = {r[0].x, r[0].y, r[0].z, r[0].w, r[1].x, r[1].y, r[1].z, r[1].w};
            float v[8] = {c[0].x, c[0].y, c[0].z, c[0].w, c[1].x, c[1].y, c[1].z, c[1].w};
#pragma unroll
            for (int i = 0; i < 8; i++) {
#pragma unroll
                for (int j = 0; j < 8; j++) sums[i * 8 + j] = fma(u[i], v[j], sums[i * 8 + j]);
            }
        }
    }
};

}  // namespace convolution

CONV_FORWARD(conv_forward_128x128, F32, 128, 128, 16, false)
CONV_FORWARD(conv_forward_128x64, F32, 128, 64, 16, false)
CONV_FORWARD(conv_forward_64x64, F32, 64, 64, 32, false)
CONV_FORWARD(conv_forward_any, F32, 128, 64, 16, true)

CONV_DATA(conv_backward_data_128x128, F32, 128, 128, 16, false)
CONV_DATA(conv_backward_data_128x64, F32, 128, 64, 16, false)
CONV_DATA(conv_backward_data_64x64, F32, 64, 64, 32, false)
CONV_DATA(conv_backward_data_any, F32, 128, 64, 16, true)

CONV_WEIGHTS(conv_backward_weights_128x128, F32, 128, 128, 16, false)
CONV_WEIGHTS(conv_backward_weights_128x64, F32, 128, 64, 16, false)
CONV_WEIGHTS(conv_backward_weights_64x64, F32, 64, 64, 32, false)
CONV_WEIGHTS(conv_backward_weights_any, F32, 64, 64, 32, true)

// y = relu?(Σ partial·scale + shift + shortcut), partial: (parts, count), count a multiple of output. Sums in order, in double.
// Launch: grid (⌈count / 256⌉), block 256.
KERNEL(
    conv_forward_finish, const float* partial, const float* scale, const float* shift, const float* shortcut, float* y, int count, int output,
    int parts, int relu
) {
    int i = blockIdx.x * 256 + threadIdx.x;
    if (i >= count) return;
    double sum = 0.0;
#pragma unroll 4
    for (int part = 0; part < parts; part++) sum += partial[(long long)part * count + i];
    float v = (float)sum;
    int channel = i % output;
    if (scale) v = mul(v, scale[channel]);
    if (shift) v = add(v, shift[channel]);
    if (shortcut) v = add(v, shortcut[i]);
    y[i] = relu && v < 0.0f ? 0.0f : v;
}

// y (+)= Σ partial, partial: (parts, count). Sums in order, in double.
// Launch: grid (⌈count / 256⌉), block 256.
KERNEL(sum_parts, const float* partial, float* y, int count, int parts, int accumulate) {
    int i = blockIdx.x * 256 + threadIdx.x;
    if (i >= count) return;
    double sum = 0.0;
#pragma unroll 4
    for (int part = 0; part < parts; part++) sum += partial[(long long)part * count + i];
    y[i] = accumulate ? add(y[i], (float)sum) : (float)sum;
}

// Rows and columns of a tile of transpose_weights.
constexpr int TRANSPOSE_SIDE = 32;
// A column more, so that the threads of a warp that read a column use different banks.
typedef float TransposeTile[TRANSPOSE_SIDE * (TRANSPOSE_SIDE + 1)];

// Computes y (+)= xᵀ, x: (rows, columns).
//
// Weights are (kernel row, kernel column, input, output) here and (output, kernel row, kernel column, input) in cuDNN: the transpose of
// a matrix with a row per kernel row, kernel column and input.
// Launch: grid (⌈rows / 32⌉ · ⌈columns / 32⌉), block 256.
KERNEL(transpose_weights, const float* x, float* y, int rows, int columns, int accumulate) {
    SHARED(TransposeTile, tile);
    constexpr int width = TRANSPOSE_SIDE + 1, lines = 256 / TRANSPOSE_SIDE;
    int tiles_wide = (columns + TRANSPOSE_SIDE - 1) / TRANSPOSE_SIDE, lane = threadIdx.x % TRANSPOSE_SIDE, line = threadIdx.x / TRANSPOSE_SIDE;
    int first_row = blockIdx.x / tiles_wide * TRANSPOSE_SIDE, first_column = blockIdx.x % tiles_wide * TRANSPOSE_SIDE;
#pragma unroll
    for (int i = line; i < TRANSPOSE_SIDE; i += lines) {
        int row = first_row + i, column = first_column + lane;
        if (row < rows && column < columns) tile[i * width + lane] = x[row * columns + column];
    }
    __syncthreads();
#pragma unroll
    for (int i = line; i < TRANSPOSE_SIDE; i += lines) {
        int row = first_row + lane, column = first_column + i;
        if (row >= rows || column >= columns) continue;
        float* to = y + column * rows + row;
        float v = tile[lane * width + i];
        *to = accumulate ? add(*to, v) : v;
    }
}
