// Loops over the values of tensors, four at a time where the shape permits.
#pragma once
#include "common.cuh"

// Threads per block of every kernel that uses this header.
constexpr unsigned BLOCK = 256;
// Values that a block handles in one round.
constexpr unsigned ROUND = 4 * BLOCK;
// Values that a block handles in a reduction or an optimiser.
constexpr unsigned CHUNK = 4096;

// Number of values per pack, as a type.
template <int N> struct Lanes {
    static constexpr int count = N;
};

// Consecutive values that one thread loads together.
template <int N> struct Pack {
    float v[N];
};

// Returns a pack of equal values.
template <int N> __device__ inline Pack<N> repeat(float value, Lanes<N>) {
    Pack<N> values;
    for (float& v : values.v) v = value;
    return values;
}

// Four values are loaded as one float4. Their address must be a multiple of 16 bytes.
template <int N> __device__ inline Pack<N> load(const float* from, Lanes<N>) {
    if constexpr (N == 4) {
        float4 values = load4(from);
        return {{values.x, values.y, values.z, values.w}};
    } else {
        return {{*from}};
    }
}

// Overwrites the destination. If `accumulate`, adds to it.
template <int N> __device__ inline void store(float* to, Pack<N> values, int accumulate = 0) {
    if (accumulate) {
        Pack<N> old = load(to, Lanes<N>());
        for (int k = 0; k < N; k++) values.v[k] = old.v[k] + values.v[k];
    }
    if constexpr (N == 4) {
        store4(to, make_float4(values.v[0], values.v[1], values.v[2], values.v[3]));
    } else {
        *to = values.v[0];
    }
}

// Applies a function to the values of packs, one by one.
template <int N, class Function, class... Packs>
__device__ inline Pack<N> combine(Function function, Pack<N> first, Packs... others) {
    Pack<N> result;
    for (int k = 0; k < N; k++) result.v[k] = function(first.v[k], others.v[k]...);
    return result;
}

// Calls body(index, lanes) for the indices from `first` up to ROUND values further, but below `count`.
// If `packed`, an index stands for four values; `first` and the round's last value must then fit packs.
template <class Body> __device__ inline void round_of_values(unsigned first, unsigned count, bool packed, Body body) {
    if (packed) {
        unsigned index = first + 4 * threadIdx.x;
        if (index < count) body(index, Lanes<4>());
    } else {
        for (unsigned k = 0; k < 4; k++) {
            unsigned index = first + k * BLOCK + threadIdx.x;
            if (index < count) body(index, Lanes<1>());
        }
    }
}

// Visits this block's ROUND values of a tensor whose last axis has `channels` values. A pack lies within one pixel.
template <class Body> __device__ inline void over_channels(unsigned count, unsigned channels, Body body) {
    round_of_values(blockIdx.x * ROUND, count, channels % 4 == 0, body);
}

// Visits a round of a flat tensor. Only the round with the tensor's end goes value by value.
template <class Body> __device__ inline void flat_round(unsigned first, unsigned count, Body body) {
    round_of_values(first, count, first + ROUND <= count, body);
}

// Visits the CHUNK values of a flat tensor from `first` on.
template <class Body> __device__ inline void over_chunk(unsigned first, unsigned count, Body body) {
    for (unsigned from = first; from < first + CHUNK; from += ROUND) flat_round(from, count, body);
}

// Computes y = function(inputs…), value by value, for this block's ROUND values. If `accumulate`, adds to y.
template <class Function, class... Inputs>
__device__ inline void map(float* y, int count, int accumulate, Function function, Inputs... inputs) {
    flat_round(blockIdx.x * ROUND, count, [&](unsigned i, auto lanes) {
        store(y + i, combine(function, load(inputs + i, lanes)...), accumulate);
    });
}
