// Convolutions with operands rounded to TF32 and sums in f32, on tensor cores. See convolution.cuh for the structure.
#include "convolution.cuh"

namespace convolution {

// Rounds to 10 bits of mantissa, to nearest, ties away from zero.
__device__ __forceinline__ float to_tf32(float v) {
#ifdef __CUDACC__
    unsigned bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(v));
    return __uint_as_float(bits);
#else
    return v != v ? v : __uint_as_float((__float_as_uint(v) + 0x1000u) & 0xffffe000u);
#endif
}

// The operands of a warp's 32 × 64 sums for 8 depths: two fragments of 16 rows, eight of 8 columns.
struct RowFragments {
    float values[2][4];
};
struct ColumnFragments {
    float values[8][2];
};

// sums[row fragment][column fragment] += rows·columns
__device__ __forceinline__ void multiply_fragments(float (&sums)[SUMS], const RowFragments& rows, const ColumnFragments& columns) {
#ifdef __CUDACC__
#pragma unroll
    for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int j = 0; j < 8; j++) {
            float* d = sums + (i * 8 + j) * 4;
            const float *a = rows.values[i], *b = columns.values[j];
            asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                : "r"(__float_as_uint(a[0])), "r"(__float_as_uint(a[1])), "r"(__float_as_uint(a[2])), "r"(__float_as_uint(a[3])),
                  "r"(__float_as_uint(b[0])), "r"(__float_as_uint(b[1])));
        }
    }
#else
    // The second exchange makes the first one's values invalid soon, so they are copied.
    ColumnFragments all_columns[32];
    memcpy(all_columns, emulation::warp_exchange(columns), sizeof all_columns);
    const RowFragments* all_rows = emulation::warp_exchange(rows);
    int lane = threadIdx.x % 32;
    for (int e = 0; e < SUMS; e++) {
        int i = e / 32, j = e / 4 % 8, row = lane / 4 + e / 2 % 2 * 8, column = lane % 4 * 2 + e % 2;
        for (int k = 0; k < 8; k++) {
            float a = all_rows[row % 8 * 4 + k % 4].values[i][row / 8 + k / 4 * 2], b = all_columns[column * 4 + k % 4].values[j][k / 4];
            sums[e] = fma(a, b, sums[e]);
        }
    }
#endif
}

struct Tf32 {
    static constexpr int together = 2;  // sums next to each other in a row
    static constexpr int next_row = 2;  // sums further on is the other row of a quarter
    static constexpr bool rounds = true;
    // Paddings keep the lanes of a fragment (8 rows × 4 depths) in different banks.
    template <int SIZE, int DEPTH> using DepthRows = ByRow<SIZE, DEPTH, 4>;
    template <int SIZE, int DEPTH> using DepthTogether = ByDepth<SIZE, DEPTH, 8>;

    static __device__ __forceinline__ float operand(float v) { return to_tf32(v); }
    static __device__ __forceinline__ float4 operand(float4 v) {
        return make_float4(to_tf32(v.x), to_tf32(v.y), to_tf32(v.z), to_tf32(v.w));
    }

    static __device__ __forceinline__ int row(int e) { return threadIdx.x % 32 / 4 + e / 32 * 16 + e / 2 % 2 * 8; }
    static __device__ __forceinline__ int column(int e) { return threadIdx.x % 4 * 2 + e / 4 % 8 * 8 + e % 2; }

    template <class Tile, class LayoutA, class LayoutB>
    static __device__ __forceinline__ void multiply(const float* a, const float* b, float (&sums)[SUMS]) {
        int in_eight = threadIdx.x % 32 / 4, in_four = threadIdx.x % 4;
        a += LayoutA::at(Tile::warp_row() + in_eight, Tile::group() * Tile::group_depth + in_four);
        b += LayoutB::at(Tile::warp_column() + in_eight, Tile::group() * Tile::group_depth + in_four);
#pragma unroll
        for (int k = 0; k < Tile::group_depth; k += 8) {
            RowFragments rows;
            ColumnFragments columns;
#pragma unroll
            for (int i = 0; i < 2; i++) {
#pragma unroll
                for (int e = 0; e < 4; e++) rows.values[i][e] = a[LayoutA::at(i * 16 + e % 2 * 8, k + e / 2 * 4)];
            }
#pragma unroll
            for (int j = 0; j < 8; j++) {
#pragma unroll
                for (int e = 0; e < 2; e++) columns.values[j][e] = b[LayoutB::at(j * 8, k + e * 4)];
            }
            multiply_fragments(sums, rows, columns);
        }
    }
};

}  // namespace convolution

CONV_FORWARD(conv_forward_128x128_tf32, Tf32, 128, 128, 16, false)
CONV_FORWARD(conv_forward_128x64_tf32, Tf32, 128, 64, 16, false)
CONV_FORWARD(conv_forward_64x64_tf32, Tf32, 64, 64, 32, false)
CONV_FORWARD(conv_forward_any_tf32, Tf32, 128, 64, 16, true)

CONV_DATA(conv_backward_data_128x128_tf32, Tf32, 128, 128, 16, false)
CONV_DATA(conv_backward_data_128x64_tf32, Tf32, 128, 64, 16, false)
CONV_DATA(conv_backward_data_64x64_tf32, Tf32, 64, 64, 32, false)
CONV_DATA(conv_backward_data_any_tf32, Tf32, 128, 64, 16, true)

CONV_WEIGHTS(conv_backward_weights_128x128_tf32, Tf32, 128, 128, 16, false)
CONV_WEIGHTS(conv_backward_weights_128x64_tf32, Tf32, 128, 64, 16, false)
CONV_WEIGHTS(conv_backward_weights_64x64_tf32, Tf32, 64, 64, 32, false)
CONV_WEIGHTS(conv_backward_weights_any_tf32, Tf32, 64, 64, 32, true)
