// Sums over the rows of a matrix, column by column, in a fixed order.
#pragma once
#include "values.cuh"

// Working memory of block_sum.
typedef double WarpSums[BLOCK / 32];

// Channels per block in sums over rows. Their 64 bytes are what the memory transfers at once.
constexpr int TILE = 16;
// Sums per channel that a block joins last.
constexpr int GROUPS = 16;
typedef float ColumnValues[4 * BLOCK];
typedef float ColumnGroups[GROUPS * TILE];

// A block's share of sums over rows: one part of the rows and up to TILE channels, with a thread per row and pack.
// Few channels leave room for more rows at once.
template <int N> struct ColumnTile {
    int part;         // of the rows
    int rows;         // in the part; 0 for a thread without work
    int first;        // channel of the tile
    int columns;      // channels that the block has threads for
    int row;          // of this thread, the first
    int step;         // from one row of this thread to the next
    unsigned offset;  // of this thread's channels in the part's first row

    __device__ inline ColumnTile(int all_rows, int channels, int rows_per_part) {
        int tiles = (channels + TILE - 1) / TILE, thread = threadIdx.x, block = blockIdx.x;
        part = block / tiles;
        first = block % tiles * TILE;
        int packs = (channels < TILE ? channels : TILE) / N;
        columns = packs * N;
        row = thread / packs;
        step = BLOCK / packs;
        int channel = first + thread % packs * N, from = part * rows_per_part;
        rows = row < step && channel < channels ? minimum(all_rows - from, rows_per_part) : 0;
        offset = unsigned(from) * channels + channel;
    }
};

// Sums matrix values[lanes][columns] over its rows into values[0..columns]. `columns` is at most TILE.
// Every thread must have written its values; all threads may read the sums afterwards.
template <class T> __device__ inline void column_totals(T* values, T* groups, int lanes, int columns) {
    __syncthreads();
    int column = threadIdx.x % columns, group = threadIdx.x / columns;
    T sum = 0;
    if (group < GROUPS) {
        for (int lane = group; lane < lanes; lane += GROUPS) sum += values[lane * columns + column];
        groups[group * columns + column] = sum;
    }
    __syncthreads();
    if (group == 0) {
        for (int other = 1; other < GROUPS; other++) sum += groups[other * columns + column];
        values[column] = sum;
    }
    __syncthreads();
}

// Writes this thread's sums where column_totals expects them.
template <int N> __device__ inline void put_sums(float* values, Pack<N> sums) {
    store(values + threadIdx.x * N, sums);
}

// Channels per block where the sums of parts are joined, with a thread per part and channel.
constexpr int FINISH_CHANNELS = 4;
constexpr int FINISH_LANES = BLOCK / FINISH_CHANNELS;
typedef double FinishValues[BLOCK];
typedef double FinishGroups[GROUPS * FINISH_CHANNELS];

// Returns Σ term(part, channel) over all parts, in double, for the channel of this thread.
template <class Term>
__device__ inline double join_parts(int parts, int channels, double* values, double* groups, Term term) {
    int column = threadIdx.x % FINISH_CHANNELS, channel = blockIdx.x * FINISH_CHANNELS + column;
    double sum = 0.0;
    if (channel < channels) {
        for (int part = threadIdx.x / FINISH_CHANNELS; part < parts; part += FINISH_LANES) sum += term(part, channel);
    }
    values[threadIdx.x] = sum;
    column_totals(values, groups, FINISH_LANES, FINISH_CHANNELS);
    sum = values[column];
    // The caller may use the memory again.
    __syncthreads();
    return sum;
}
