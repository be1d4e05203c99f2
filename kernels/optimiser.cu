// Optimisers and clipping by the global norm. One launch serves all parameters.
#include "sums.cuh"

// One parameter and its state. Its values are chunks of 4096, numbered through all parameters.
struct ParameterRecord {
    float* parameter;
    float* gradient;  // null: zeros
    float* first;     // momentum, or Adam's first moment
    float* second;    // Adam's second moment
    int count;
    int first_chunk;
};
static_assert(sizeof(ParameterRecord) == 40, "the host writes records of 40 bytes");

// Returns the record whose chunk the block works on: the last one that does not start after it.
__device__ inline ParameterRecord record_of_block(const ParameterRecord* records, int parameters) {
    int from = 0, to = parameters;
    while (to - from > 1) {
        int middle = (from + to) / 2;
        if (records[middle].first_chunk <= int(blockIdx.x)) from = middle;
        else to = middle;
    }
    return records[from];
}

// Visits the values of the block's chunk.
template <class Body> __device__ inline void over_record(const ParameterRecord& record, Body body) {
    over_chunk((blockIdx.x - record.first_chunk) * CHUNK, record.count, body);
}

// Returns some values of the gradient.
template <int N> __device__ inline Pack<N> load_gradient(const ParameterRecord& record, unsigned i, Lanes<N> lanes) {
    return record.gradient ? load(record.gradient + i, lanes) : repeat(0.0f, lanes);
}

// Computes Σ g² of each chunk.
// Launch: grid (chunks of all parameters), block 256.
KERNEL(gradient_squares, const ParameterRecord* records, int parameters, double* partial) {
    SHARED(WarpSums, of_warps);
    ParameterRecord record = record_of_block(records, parameters);
    double sum = 0.0;
    over_record(record, [&](unsigned i, auto lanes) {
        auto gradient = load_gradient(record, i, lanes);
        for (float g : gradient.v) sum += double(g) * double(g);
    });
    sum = block_sum(sum, of_warps);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// Term added to the norm before the ceiling is divided by it.
constexpr double CLIP_EPSILON = 1e-6;

// Computes the norms over all gradients and over each part, and the factor that clips all to the ceiling if that is above 0.
//
// part_ends[p] is the chunk after the last one of part p. norms has parts + 1 values: all, then the parts.
// Launch: grid (1), block 256.
KERNEL(gradient_norms, const double* partial, const int* part_ends, int parts, const float* ceiling, float* norms, float* factor) {
    SHARED(WarpSums, of_warps);
    double all = 0.0;
    for (int part = 0; part < parts; part++) {
        double sum = 0.0;
        for (int chunk = (part > 0 ? part_ends[part - 1] : 0) + threadIdx.x; chunk < part_ends[part]; chunk += BLOCK) sum += partial[chunk];
        sum = block_sum(sum, of_warps);
        if (threadIdx.x == 0) norms[1 + part] = float(root(sum));
        all += sum;
        // The next part uses the memory again.
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        double norm = root(all), limit = ceiling[0];
        norms[0] = float(norm);
        factor[0] = limit > 0.0 && norm > limit ? float(limit / (norm + CLIP_EPSILON)) : 1.0f;
    }
}

// Scales all gradients, unless the factor is 1.
// Launch: grid (chunks of all parameters), block 256.
KERNEL(scale_gradients, const ParameterRecord* records, int parameters, const float* factor) {
    float scale = factor[0];
    if (scale == 1.0f) return;
    ParameterRecord record = record_of_block(records, parameters);
    over_record(record, [&](unsigned i, auto lanes) {
        store(record.gradient + i, combine([=](float g) { return g * scale; }, load(record.gradient + i, lanes)));
    });
}

// Takes a step of stochastic gradient descent: g = gradient + weight_decay·p; v = g + momentum·v; p −= rate·v.
//
// settings: rate, momentum, weight decay. Without momentum, v is g, and `first` may be null.
// Launch: grid (chunks of all parameters), block 256.
KERNEL(sgd, const ParameterRecord* records, int parameters, const float* settings) {
    ParameterRecord record = record_of_block(records, parameters);
    float rate = settings[0], momentum = settings[1], decay = settings[2];
    over_record(record, [&](unsigned i, auto lanes) {
        auto gradient = load_gradient(record, i, lanes), values = load(record.parameter + i, lanes);
        auto step = combine([=](float g, float p) { return decay > 0.0f ? g + decay * p : g; }, gradient, values);
        if (momentum > 0.0f) {
            step = combine([=](float g, float v) { return g + momentum * v; }, step, load(record.first + i, lanes));
            store(record.first + i, step);
        }
        store(record.parameter + i, combine([=](float p, float v) { return p - v * rate; }, values, step));
    });
}

// Takes a step of Adam (Kingma and Ba 2015), with L2 or decoupled weight decay.
//
// settings: rate, β₁, β₂, ε, weight decay, whether it is decoupled (0 or 1), 1/(1 − β₁ᵗ), 1/(1 − β₂ᵗ).
// Launch: grid (chunks of all parameters), block 256.
KERNEL(adam, const ParameterRecord* records, int parameters, const float* settings) {
    ParameterRecord record = record_of_block(records, parameters);
    float rate = settings[0], beta1 = settings[1], beta2 = settings[2], epsilon = settings[3], decay = settings[4];
    float first_correction = settings[6], second_correction = settings[7];
    bool decoupled = settings[5] != 0.0f, plain = decay > 0.0f && !decoupled;
    decoupled = decoupled && decay > 0.0f;
    over_record(record, [&](unsigned i, auto lanes) {
        auto values = load(record.parameter + i, lanes), first = load(record.first + i, lanes), second = load(record.second + i, lanes);
        auto gradient = load_gradient(record, i, lanes);
        for (int k = 0; k < lanes.count; k++) {
            float p = values.v[k], g = gradient.v[k];
            if (plain) g += decay * p;
            float m = first.v[k] * beta1 + g * (1.0f - beta1);
            float v = second.v[k] * beta2 + g * g * (1.0f - beta2);
            float step = rate * (m * first_correction) / (root(v * second_correction) + epsilon);
            if (decoupled) step += decay * rate * p;
            values.v[k] = p - step;
            first.v[k] = m;
            second.v[k] = v;
        }
        store(record.parameter + i, values);
        store(record.first + i, first);
        store(record.second + i, second);
    });
}
