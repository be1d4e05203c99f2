// The distance of losses.cu for few long vectors, such as whole feature maps: many blocks share each vector.
#include "losses.cuh"

// Computes Σ t², Σ s² and Σ t·s of each 4096 values of a vector. Blocks of one vector are neighbours.
// Launch: grid (vectors · ⌈length / 4096⌉), block 256.
KERNEL(pair_sums, const float* t, const float* s, double* partial, int length) {
    SHARED(WarpSums, of_warps);
    unsigned parts = (length + CHUNK - 1) / CHUNK, start = blockIdx.x / parts * length, first = blockIdx.x % parts * CHUNK;
    double sums[3] = {0.0, 0.0, 0.0};
    for (unsigned from = first; from < first + CHUNK; from += ROUND) {
        round_of_values(from, length, length % 4 == 0, [&](unsigned i, auto lanes) {
            auto t_pack = load(t + start + i, lanes), s_pack = load(s + start + i, lanes);
            for (int k = 0; k < lanes.count; k++) {
                double t_value = t_pack.v[k], s_value = s_pack.v[k];
                sums[0] += t_value * t_value;
                sums[1] += s_value * s_value;
                sums[2] += t_value * s_value;
            }
        });
    }
    for (int k = 0; k < 3; k++) {
        double sum = block_sum(sums[k], of_warps);
        if (threadIdx.x == 0) partial[3 * blockIdx.x + k] = sum;
        __syncthreads();
    }
}

// Joins the sums of pair_sums: writes 1/‖t‖, 1/‖s‖ and ⟨ŝ − t̂, ŝ⟩ of each vector, and ‖t̂ − ŝ‖².
// Launch: grid (vectors), block 256.
KERNEL(join_pairs, const double* partial, int parts, float* factors, float* distances) {
    SHARED(WarpSums, of_warps);
    double sums[3];
    for (int k = 0; k < 3; k++) {
        double sum = 0.0;
        for (int part = threadIdx.x; part < parts; part += BLOCK) sum += partial[3 * (blockIdx.x * parts + part) + k];
        sums[k] = block_sum(sum, of_warps);
        __syncthreads();
    }
    if (threadIdx.x > 0) return;
    constexpr double floor = NORM_FLOOR;
    double t = 1.0 / maximum(root(sums[0]), floor), s = 1.0 / maximum(root(sums[1]), floor);
    double t_length = sums[0] * t * t, s_length = sums[1] * s * s, cosine = sums[2] * t * s;
    float* of_vector = factors + 3 * blockIdx.x;
    of_vector[0] = float(t);
    of_vector[1] = float(s);
    of_vector[2] = float(s_length - cosine);
    // Rounding may leave the distance of equal vectors below 0.
    distances[blockIdx.x] = maximum(float(t_length - 2.0 * cosine + s_length), 0.0f);
}

// Computes what similarity_backward computes, from the factors of join_pairs.
// Launch: grid (vectors · ⌈length / 1024⌉), block 256.
KERNEL(vector_similarity_backward, const float* t, const float* s, const float* factors, const float* dloss, float* ds, int vectors,
       int length, int accumulate) {
    unsigned rounds = (length + ROUND - 1) / ROUND, vector = blockIdx.x / rounds, start = vector * length;
    const float* of_vector = factors + 3 * vector;
    SimilarityGradient gradient{2.0f * dloss[0] / float(vectors), of_vector[0], of_vector[1], of_vector[2]};
    round_of_values(blockIdx.x % rounds * ROUND, length, length % 4 == 0, [&](unsigned i, auto lanes) {
        store(ds + start + i, combine(gradient, load(t + start + i, lanes), load(s + start + i, lanes)), accumulate);
    });
}
