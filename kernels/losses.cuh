// What the distances of pixels and of long vectors share.
#pragma once
#include "sums.cuh"

// Smallest norm that a vector is divided by.
constexpr float NORM_FLOOR = 1e-12f;

// The gradient of ‖t̂ − ŝ‖² with respect to s, value by value.
struct SimilarityGradient {
    float scale;  // of the loss
    float t, s;   // factors that make the norms 1
    float along;  // ⟨ŝ − t̂, ŝ⟩

    __device__ inline float operator()(float t_value, float s_value) const {
        float unit = s_value * s;
        return scale * s * ((unit - t_value * t) - unit * along);
    }
};
