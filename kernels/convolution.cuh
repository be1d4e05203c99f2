// Convolutions as implicit matrix products: what the f32 and the TF32 kernels share.
//
// A block of 256 threads computes a tile of rows × columns of a product. The reduction runs in chunks of `depth` values. While a chunk
// is multiplied in shared memory, the next one is on its way there, or to registers. Small tiles split each chunk between groups of warps, so
// that every thread always has 64 sums: that many products for 16 values from shared memory.
//
//                    rows                   columns          reduction
//   forward          output pixels          outputs          taps × inputs
//   data             input pixels           inputs           taps × outputs
//   weights          taps × inputs          outputs          output pixels
#pragma once
#include "common.cuh"

#define CONVOLUTION_SHAPE \
    int images, int height, int width, int input, int output, int kernel, int stride, int padding, int out_height, int out_width
#define CONVOLUTION_SHAPE_VALUES {images, height, width, input, output, kernel, stride, padding, out_height, out_width}

namespace convolution {

struct Shape {
    int images, height, width, input, output, kernel, stride, padding, out_height, out_width;
};

constexpr int THREADS = 256;
constexpr int SUMS = 64;  // per thread

// The tile of a block. A warp computes 32 × 64 sums.
template <int ROWS, int COLUMNS, int DEPTH>
struct Tile {
    static constexpr int rows = ROWS, columns = COLUMNS, depth = DEPTH;
    static constexpr int groups = THREADS * SUMS / (ROWS * COLUMNS);
    static constexpr int group_threads = THREADS / groups;
    static constexpr int group_depth = DEPTH / groups;
    static_assert(ROWS % 32 == 0 && COLUMNS % 64 == 0 && group_depth % 8 == 0, "whole warps and steps");

    static __device__ __forceinline__ int group() { return threadIdx.x / group_threads; }
    // The first row and column of the warp
    static __device__ __forceinline__ int warp_row() { return threadIdx.x % group_threads / 32 % (ROWS / 32) * 32; }
    static __device__ __forceinline__ int warp_column() { return threadIdx.x % group_threads / 32 / (ROWS / 32) * 64; }
};

// ---- Layouts of an operand in shared memory: SIZE rows (or columns) by DEPTH ----

// Keeps values of one depth together.
template <int SIZE, int DEPTH, int PAD>
struct ByDepth {
    static constexpr int floats = (SIZE + PAD) * DEPTH;
    static __device__ __forceinline__ int at(int i, int k) { return k * (SIZE + PAD) + i; }
    // Stores four values of consecutive depths.
    static __device__ __forceinline__ void store_depths(float* to, float4 v) {
        to[0] = v.x;
        to[SIZE + PAD] = v.y;
        to[2 * (SIZE + PAD)] = v.z;
        to[3 * (SIZE + PAD)] = v.w;
    }
};

// Keeps values of one row together.
template <int SIZE, int DEPTH, int PAD>
struct ByRow {
    static constexpr int floats = SIZE * (DEPTH + PAD);
    static __device__ __forceinline__ int at(int i, int k) { return i * (DEPTH + PAD) + k; }
    static __device__ __forceinline__ void store_depths(float* to, float4 v) { store4(to, v); }
};

// ---- Places along the reduction ----

// The part of a convolution that a row of the product sees: a row is a pixel, its taps are pixels of another image.
struct Window {
    int rows_high, rows_wide;  // pixels of an image that are rows
    int step, first_y, first_x;  // the first tap of pixel (y, x) is (first_y + step·y, first_x + step·x)
    int taps_high, taps_wide;
    int height, width, channels;  // of the image that is read
};

// Counts (outer, middle, inner) in steps, without divisions.
struct Odometer {
    int outer, middle, inner;
    int step_outer, step_middle, step_inner;
    int middles, inners;

    __device__ __forceinline__ Odometer(int first, int step, int middles, int inners) : middles(middles), inners(inners) {
        int above = first / inners, step_above = step / inners;
        inner = first - above * inners;
        outer = above / middles;
        middle = above - outer * middles;
        step_inner = step - step_above * inners;
        step_outer = step_above / middles;
        step_middle = step_above - step_outer * middles;
    }
    __device__ __forceinline__ void advance() {
        inner += step_inner;
        middle += step_middle;
        outer += step_outer;
        if (inner >= inners) {
            inner -= inners;
            middle++;
        }
        if (middle >= middles) {
            middle -= middles;
            outer++;
        }
    }
};

// Where the chunks begin. A chunk lies within one tap. The same for all threads.
struct Chunk {
    int tap_y, tap_x, channel;

    __device__ __forceinline__ Chunk(int index, int depth, int taps_wide, int channels) {
        int per_tap = (channels + depth - 1) / depth, tap = index / per_tap;
        channel = (index - tap * per_tap) * depth;
        tap_y = tap / taps_wide;
        tap_x = tap - tap_y * taps_wide;
    }
};

// The origin of a row's taps. Rows beyond the last one get an origin that no tap brings into the image.
struct Origin {
    int offset, y, x;

    __device__ __forceinline__ Origin(const Window& window, int row, int rows) {
        if (row < rows) {
            int line = row / window.rows_wide, image = line / window.rows_high;
            y = (line - image * window.rows_high) * window.step + window.first_y;
            x = (row - line * window.rows_wide) * window.step + window.first_x;
            offset = ((image * window.height + y) * window.width + x) * window.channels;
        } else {
            y = x = -(1 << 28);
            offset = 0;
        }
    }
};

__device__ __forceinline__ bool inside(int y, int x, int height, int width) {
    return (unsigned)y < (unsigned)height && (unsigned)x < (unsigned)width;
}

__device__ __forceinline__ float4 zeros() { return make_float4(0.0f, 0.0f, 0.0f, 0.0f); }

// Which quads of a SIZE × DEPTH operand a thread loads, if values of consecutive depths lie together in memory. A warp takes 16 rows
// × 2 quads: whole sectors of memory, and no two lanes in one bank of `ByDepth` with a padding of 4.
template <int SIZE, int DEPTH>
struct DepthQuads {
    static constexpr int per_row = THREADS / SIZE;  // threads
    static constexpr int loads = DEPTH / 4 / per_row, step = per_row * 4;
    static_assert(loads > 0 && per_row % 2 == 0, "every thread loads");
    static __device__ __forceinline__ int row() { return threadIdx.x / 32 % (SIZE / 16) * 16 + threadIdx.x % 16; }
    // Of the first load; the others are `step` apart.
    static __device__ __forceinline__ int depth() { return (threadIdx.x % 32 / 16 + threadIdx.x / 32 / (SIZE / 16) * 2) * 4; }
};

// The same if values of one depth lie together.
template <int SIZE, int DEPTH>
struct RowQuads {
    static constexpr int per_depth = SIZE / 4;  // threads
    static constexpr int step = THREADS / per_depth, loads = DEPTH / step;
    static_assert(loads > 0, "every thread loads");
    static __device__ __forceinline__ int row() { return threadIdx.x % per_depth * 4; }
    static __device__ __forceinline__ int depth() { return threadIdx.x / per_depth; }
};

// The channels of a tap, rounded up to chunks
template <int DEPTH>
__device__ __forceinline__ int whole_chunks(int channels) { return (channels + DEPTH - 1) / DEPTH * DEPTH; }

// Where a thread's first load goes
template <class Layout, class Part>
__device__ __forceinline__ float* place(float* shared) { return shared + Layout::at(Part::row(), Part::depth()); }

// Moves values that need no change of order to shared memory: at once if they need no rounding either, else through registers.
template <class Math>
__device__ __forceinline__ void move(float* to, float4& staged, const float* from, bool inside) {
    if constexpr (Math::rounds) staged = inside ? load4(from) : zeros();
    else copy_async<16>(to, from, inside);
}
template <class Math>
__device__ __forceinline__ void move(float* to, float& staged, const float* from, bool inside) {
    if constexpr (Math::rounds) staged = inside ? *from : 0.0f;
    else copy_async<4>(to, from, inside);
}
template <class Math>
__device__ __forceinline__ void finish_copies() {
    if constexpr (!Math::rounds) {
        copy_commit();
        copy_wait<0>();
    }
}
template <class Math>
__device__ __forceinline__ void finish_move(float* to, float4 staged) {
    if constexpr (Math::rounds) store4(to, Math::operand(staged));
}
template <class Math>
__device__ __forceinline__ void finish_move(float* to, float staged) {
    if constexpr (Math::rounds) *to = Math::operand(staged);
}

// ---- Operands with channels in fours ----
// Each has load: memory to registers, and store: registers to shared memory. They keep pointers to what comes next.

// A row of channels that lie together, up to `left` channels from the thread's first one.
template <class Math, class Layout, int SIZE, int DEPTH>
struct ChannelRow {
    typedef DepthQuads<SIZE, DEPTH> Quads;
    const float* here;
    int left;
    float4 values[Quads::loads];

    __device__ __forceinline__ ChannelRow(const float* row) : here(row + Quads::depth()) {}
    // Goes on to another row. `step` counts from the end of this one's last chunk.
    __device__ __forceinline__ void next_row(int step, int channels) {
        here += step;
        left = channels - Quads::depth();
    }
    // Loads a chunk and goes on to the next.
    __device__ __forceinline__ void load() {
#pragma unroll
        for (int l = 0; l < Quads::loads; l++) values[l] = l * Quads::step < left ? load4(here + l * Quads::step) : zeros();
        here += DEPTH;
        left -= DEPTH;
    }
    __device__ __forceinline__ void store(float* shared) const {
#pragma unroll
        for (int l = 0; l < Quads::loads; l++) Layout::store_depths(place<Layout, Quads>(shared) + Layout::at(0, l * Quads::step), Math::operand(values[l]));
    }
};

// Pixels under the taps of a window. DIRECTION is 1 if a later tap lies further right and down, −1 if further left and up.
template <class Math, class Layout, int SIZE, int DEPTH, int DIRECTION>
struct WindowPixels {
    int y, x;  // under the tap
    ChannelRow<Math, Layout, SIZE, DEPTH> row;

    __device__ __forceinline__ WindowPixels(const float* source, const Window& window, const Origin& origin, const Chunk& chunk)
        : y(origin.y + DIRECTION * chunk.tap_y), x(origin.x + DIRECTION * chunk.tap_x),
          row(source + (origin.offset + DIRECTION * (chunk.tap_y * window.width + chunk.tap_x) * window.channels + chunk.channel)) {
        row.next_row(0, inside(y, x, window.height, window.width) ? window.channels - chunk.channel : 0);
    }
    __device__ __forceinline__ void next_tap(int height, int width, int channels, int taps_wide, bool next_line) {
        int step = DIRECTION * channels - whole_chunks<DEPTH>(channels);
        x += DIRECTION;
        if (next_line) {
            x -= DIRECTION * taps_wide;
            y += DIRECTION;
            step += DIRECTION * (width - taps_wide) * channels;
        }
        row.next_row(step, inside(y, x, height, width) ? channels : 0);
    }
};

// Weights with outputs as depth: the transpose of what `MatrixRows` reads for a tap. The taps are those of a parity class.
template <class Math, class Layout, int SIZE, int DEPTH>
struct TransposedWeights {
    ChannelRow<Math, Layout, SIZE, DEPTH> row;

    __device__ __forceinline__ TransposedWeights(const float* source, const Shape& shape, int tap, int input, int channel)
        : row(source + ((tap * shape.input + input) * shape.output + channel)) {
        row.next_row(0, (input < shape.input ? shape.output : 0) - channel);
    }
    __device__ __forceinline__ void next_tap(const Shape& shape, int taps_wide, bool next_line) {
        int taps = shape.stride;
        if (next_line) taps += shape.stride * (shape.kernel - taps_wide);
        // What is left is the same for each tap.
        int chunks = whole_chunks<DEPTH>(shape.output);
        row.here += taps * shape.input * shape.output - chunks;
        row.left += chunks;
    }
};

// Consecutive rows of a matrix; a row of the matrix is one depth.
template <class Math, class Layout, int SIZE, int DEPTH>
struct MatrixRows {
    typedef RowQuads<SIZE, DEPTH> Quads;
    const float* here;
    int columns, depth;
    float4 values[Quads::loads];

    __device__ __forceinline__ MatrixRows(const float* source, int first_row, int columns, int first_column)
        : here(source + ((first_row + Quads::depth()) * columns + first_column + Quads::row())), columns(columns),
          // Threads beyond the last column are beyond the last row, too.
          depth(first_column + Quads::row() < columns ? Quads::depth() : 1 << 28) {}
    // Loads a chunk and goes on by `rows`. Rows from `count` on are zeros.
    __device__ __forceinline__ void load(float* shared, int count, int rows) {
#pragma unroll
        for (int l = 0; l < Quads::loads; l++) {
            int k = l * Quads::step;
            move<Math>(place<Layout, Quads>(shared) + Layout::at(0, k), values[l], here + k * columns, depth + k < count);
        }
        here += rows * columns;
    }
    __device__ __forceinline__ void store(float* shared) const {
#pragma unroll
        for (int l = 0; l < Quads::loads; l++) finish_move<Math>(place<Layout, Quads>(shared) + Layout::at(0, l * Quads::step), values[l]);
    }
};

// Follows where one tap of the output pixels first, first + step, … lies in the input.
struct TapOfPixels {
    int y, x, at;  // of the tap
    int left;      // pixels
    int end_y, end_x;  // where the lines and columns of an image end for this tap
    int step, step_y, step_x, step_at, wrap_y, wrap_x, wrap_at, next_image_at, stride, height, width;

    // `row` is a row of the weights as a matrix of (taps × inputs) rows.
    __device__ __forceinline__ TapOfPixels(const Shape& shape, int row, int first, int end, int step)
        : left(end - first), step(step), stride(shape.stride), height(shape.height), width(shape.width) {
        int tap = row / shape.input, tap_line = tap / shape.kernel, channel = row - tap * shape.input;
        int line = first / shape.out_width, image = line / shape.out_height;
        int first_y = tap_line - shape.padding, first_x = tap - tap_line * shape.kernel - shape.padding;
        y = (line - image * shape.out_height) * stride + first_y;
        x = (first - line * shape.out_width) * stride + first_x;
        at = ((image * height + y) * width + x) * shape.input + channel;
        end_y = shape.out_height * stride + first_y;
        end_x = shape.out_width * stride + first_x;
        if (tap_line >= shape.kernel) left = 0;
        int lines = step / shape.out_width, images = lines / shape.out_height;
        step_y = (lines - images * shape.out_height) * stride;
        step_x = (step - lines * shape.out_width) * stride;
        step_at = ((images * height + step_y) * width + step_x) * shape.input;
        wrap_y = shape.out_height * stride;
        wrap_x = shape.out_width * stride;
        wrap_at = (stride * width - wrap_x) * shape.input;
        next_image_at = (height - wrap_y) * width * shape.input;
    }
    __device__ __forceinline__ bool seen() const { return left > 0 && inside(y, x, height, width); }
    __device__ __forceinline__ void advance() {
        left -= step;
        y += step_y;
        x += step_x;
        at += step_at;
        if (x >= end_x) {
            x -= wrap_x;
            y += stride;
            at += wrap_at;
        }
        if (y >= end_y) {
            y -= wrap_y;
            at += next_image_at;
        }
    }
};

// Pixels under the taps; a pixel is a depth, the taps' channels are rows.
template <class Math, class Layout, int SIZE, int DEPTH>
struct PixelColumns {
    typedef RowQuads<SIZE, DEPTH> Quads;
    const float* source;
    TapOfPixels tap;
    float4 values[Quads::loads];

    __device__ __forceinline__ PixelColumns(const float* source, const Shape& shape, int first_row, int first_pixel, int end)
        : source(source), tap(shape, first_row + Quads::row(), first_pixel + Quads::depth(), end, Quads::step) {}
    __device__ __forceinline__ void load(float* shared) {
#pragma unroll
        for (int l = 0; l < Quads::loads; l++) {
            move<Math>(place<Layout, Quads>(shared) + Layout::at(0, l * Quads::step), values[l], source + tap.at, tap.seen());
            tap.advance();
        }
    }
    __device__ __forceinline__ void store(float* shared) const {
#pragma unroll
        for (int l = 0; l < Quads::loads; l++) finish_move<Math>(place<Layout, Quads>(shared) + Layout::at(0, l * Quads::step), values[l]);
    }
};

// ---- The same operands for any number of channels, one value at a time ----
// The depths of a chunk may lie in several taps: the reduction has no gaps, which matters for three channels.

// The origins of a tile's rows, in shared memory: a thread loads from many rows.
typedef int Origins[3][128];
// Vector kernels have none.
struct NoOrigins {};
template <bool ANY>
struct OriginsIf {
    typedef Origins Type;
};
template <>
struct OriginsIf<false> {
    typedef NoOrigins Type;
};

// Which values of a SIZE × DEPTH operand a thread loads: all of one depth.
template <int SIZE, int DEPTH>
struct DepthValues {
    static constexpr int step = THREADS / DEPTH, loads = SIZE / step;
    // Of the first load; the others are `step` apart.
    static __device__ __forceinline__ int row() { return threadIdx.x / DEPTH; }
    static __device__ __forceinline__ int depth() { return threadIdx.x % DEPTH; }
};

// All of one row
template <int SIZE, int DEPTH>
struct RowValues {
    static constexpr int step = THREADS / SIZE, loads = DEPTH / step;
    static __device__ __forceinline__ int row() { return threadIdx.x % SIZE; }
    static __device__ __forceinline__ int depth() { return threadIdx.x / SIZE; }
};

template <class Math, class Layout, int SIZE, int DEPTH, int DIRECTION>
struct AnyWindowPixels {
    typedef DepthValues<SIZE, DEPTH> Part;
    const float* source;
    int height, width, channels;
    const Origins& origins;
    float values[Part::loads];

    // A barrier must follow.
    __device__ __forceinline__ AnyWindowPixels(const float* source, const Window& window, int first_row, int rows, Origins& origins)
        : source(source), height(window.height), width(window.width), channels(window.channels), origins(origins) {
        if (threadIdx.x < SIZE) {
            Origin origin(window, first_row + threadIdx.x, rows);
            origins[0][threadIdx.x] = origin.offset;
            origins[1][threadIdx.x] = origin.y;
            origins[2][threadIdx.x] = origin.x;
        }
    }
    // `tap` is the thread's tap line, tap column and channel.
    __device__ __forceinline__ void load(float* shared, const Odometer& tap, bool within) {
        int offset = DIRECTION * (tap.outer * width + tap.middle) * channels + tap.inner;
#pragma unroll
        for (int l = 0; l < Part::loads; l++) {
            int row = Part::row() + l * Part::step;
            int y = origins[1][row] + DIRECTION * tap.outer, x = origins[2][row] + DIRECTION * tap.middle;
            bool seen = within && inside(y, x, height, width);
            float* to = place<Layout, Part>(shared) + Layout::at(l * Part::step, 0);
            move<Math>(to, values[l], source + origins[0][row] + offset, seen);
        }
    }
    __device__ __forceinline__ void store(float* shared) const {
#pragma unroll
        for (int l = 0; l < Part::loads; l++) finish_move<Math>(place<Layout, Part>(shared) + Layout::at(l * Part::step, 0), values[l]);
    }
};

template <class Math, class Layout, int SIZE, int DEPTH>
struct AnyMatrixRows {
    typedef RowValues<SIZE, DEPTH> Part;
    const float* here;
    int columns, depth;
    float values[Part::loads];

    __device__ __forceinline__ AnyMatrixRows(const float* source, int first_row, int columns, int first_column)
        : here(source + ((first_row + Part::depth()) * columns + first_column + Part::row())), columns(columns),
          depth(first_column + Part::row() < columns ? Part::depth() : 1 << 28) {}
    __device__ __forceinline__ void load(float* shared, int count, int rows) {
#pragma unroll
        for (int l = 0; l < Part::loads; l++) {
            float* to = place<Layout, Part>(shared) + Layout::at(0, l * Part::step);
            move<Math>(to, values[l], here + l * Part::step * columns, depth + l * Part::step < count);
        }
        here += rows * columns;
    }
    __device__ __forceinline__ void store(float* shared) const {
#pragma unroll
        for (int l = 0; l < Part::loads; l++) finish_move<Math>(place<Layout, Part>(shared) + Layout::at(0, l * Part::step), values[l]);
    }
};

template <class Math, class Layout, int SIZE, int DEPTH>
struct AnyTransposedWeights {
    typedef DepthValues<SIZE, DEPTH> Part;
    const float* source;
    int output, left;
    float values[Part::loads];

    __device__ __forceinline__ AnyTransposedWeights(const float* source, const Shape& shape, int first_input)
        : source(source + (long long)first_input * shape.output), output(shape.output), left(shape.input - first_input) {}
    // `at` is the offset of the weight of the thread's tap and output, for the first input.
    __device__ __forceinline__ void load(float* shared, int at, bool within) {
#pragma unroll
        for (int l = 0; l < Part::loads; l++) {
            int row = Part::row() + l * Part::step;
            float* to = place<Layout, Part>(shared) + Layout::at(l * Part::step, 0);
            move<Math>(to, values[l], source + at + row * output, within && row < left);
        }
    }
    __device__ __forceinline__ void store(float* shared) const {
#pragma unroll
        for (int l = 0; l < Part::loads; l++) finish_move<Math>(place<Layout, Part>(shared) + Layout::at(l * Part::step, 0), values[l]);
    }
};

template <class Math, class Layout, int SIZE, int DEPTH>
struct AnyPixelColumns {
    typedef RowValues<SIZE, DEPTH> Part;
    const float* source;
    TapOfPixels tap;
    float values[Part::loads];

    __device__ __forceinline__ AnyPixelColumns(const float* source, const Shape& shape, int first_row, int first_pixel, int end)
        : source(source), tap(shape, first_row + Part::row(), first_pixel + Part::depth(), end, Part::step) {}
    __device__ __forceinline__ void load(float* shared) {
#pragma unroll
        for (int l = 0; l < Part::loads; l++) {
            move<Math>(place<Layout, Part>(shared) + Layout::at(0, l * Part::step), values[l], source + tap.at, tap.seen());
            tap.advance();
        }
    }
    __device__ __forceinline__ void store(float* shared) const {
#pragma unroll
        for (int l = 0; l < Part::loads; l++) finish_move<Math>(place<Layout, Part>(shared) + Layout::at(0, l * Part::step), values[l]);
    }
};

// ---- Pairs of operands: load takes a chunk of both and goes on to the next ----

// Forward: x under the taps, weights as a matrix of (taps × inputs) rows.
template <class Math, class Tile, class LayoutA, class LayoutB>
struct ForwardChunks {
    const Shape& shape;
    WindowPixels<Math, LayoutA, Tile::rows, Tile::depth, 1> a;
    MatrixRows<Math, LayoutB, Tile::columns, Tile::depth> b;
    int left, tap_x;  // left: channels of the tap

    __device__ __forceinline__ ForwardChunks(
        const float* x, const float* w, const Shape& shape, const Window& window, const Origin& origin, int first_column, const Chunk& chunk
    )
        : shape(shape), a(x, window, origin, chunk),
          b(w, (chunk.tap_y * shape.kernel + chunk.tap_x) * shape.input + chunk.channel, shape.output, first_column),
          left(shape.input - chunk.channel), tap_x(chunk.tap_x) {}
    __device__ __forceinline__ void load(float*, float* to_b) {
        a.row.load();
        b.load(to_b, left, minimum(left, Tile::depth));
        left -= Tile::depth;
        if (left <= 0) {
            left = shape.input;
            bool next_line = ++tap_x == shape.kernel;
            if (next_line) tap_x = 0;
            a.next_tap(shape.height, shape.width, shape.input, shape.kernel, next_line);
        }
    }
    __device__ __forceinline__ void store(float* to_a, float* to_b) const {
        a.row.store(to_a);
        b.store(to_b);
    }
};

template <class Math, class Tile, class LayoutA, class LayoutB>
struct AnyForwardChunks {
    AnyWindowPixels<Math, LayoutA, Tile::rows, Tile::depth, 1> a;
    AnyMatrixRows<Math, LayoutB, Tile::columns, Tile::depth> b;
    Odometer place;
    int left, taps_high;

    __device__ __forceinline__ void load(float* to_a, float* to_b) {
        a.load(to_a, place, place.outer < taps_high);
        b.load(to_b, left, Tile::depth);
        place.advance();
        left -= Tile::depth;
    }
    __device__ __forceinline__ void store(float* to_a, float* to_b) const {
        a.store(to_a);
        b.store(to_b);
    }
};

// The taps of a parity class: lines first_y, first_y + stride, … of the kernel, and columns alike
struct TapWeights {
    int first_y, first_x, stride, kernel, matrix;

    __device__ __forceinline__ int at(int tap_y, int tap_x) const {
        return ((first_y + stride * tap_y) * kernel + first_x + stride * tap_x) * matrix;
    }
};

// The pixels of dx of one parity class: lines first_y, first_y + stride, …, and columns alike. `split` is the block's.
struct ParityClass {
    int rows, rows_high, rows_wide, first_y, first_x;
    int taps_wide, split;
};

// Data: dy under the taps, weights with inputs as columns.
template <class Math, class Tile, class LayoutA, class LayoutB>
struct DataChunks {
    const Shape& shape;
    const ParityClass& pixels;
    WindowPixels<Math, LayoutA, Tile::rows, Tile::depth, -1> a;
    TransposedWeights<Math, LayoutB, Tile::columns, Tile::depth> b;
    int left, tap_x;  // left: channels of the tap

    // `tap` is the chunk's tap in the kernel, `input` the thread's column.
    __device__ __forceinline__ DataChunks(
        const float* dy, const float* w, const Shape& shape, const ParityClass& pixels, const Window& window, const Origin& origin, int tap,
        int input, const Chunk& chunk
    )
        : shape(shape), pixels(pixels), a(dy, window, origin, chunk), b(w, shape, tap, input, chunk.channel),
          left(shape.output - chunk.channel), tap_x(chunk.tap_x) {}
    __device__ __forceinline__ void load(float*, float*) {
        a.row.load();
        b.row.load();
        left -= Tile::depth;
        if (left <= 0) {
            left = shape.output;
            int taps_wide = pixels.taps_wide;
            bool next_line = ++tap_x == taps_wide;
            if (next_line) tap_x = 0;
            a.next_tap(shape.out_height, shape.out_width, shape.output, taps_wide, next_line);
            b.next_tap(shape, taps_wide, next_line);
        }
    }
    __device__ __forceinline__ void store(float* to_a, float* to_b) const {
        a.row.store(to_a);
        b.row.store(to_b);
    }
};

template <class Math, class Tile, class LayoutA, class LayoutB>
struct AnyDataChunks {
    AnyWindowPixels<Math, LayoutA, Tile::rows, Tile::depth, -1> a;
    AnyTransposedWeights<Math, LayoutB, Tile::columns, Tile::depth> b;
    Odometer place;
    TapWeights taps;
    int taps_high;

    __device__ __forceinline__ void load(float* to_a, float* to_b) {
        bool within = place.outer < taps_high;
        a.load(to_a, place, within);
        b.load(to_b, taps.at(place.outer, place.middle) + place.inner, within);
        place.advance();
    }
    __device__ __forceinline__ void store(float* to_a, float* to_b) const {
        a.store(to_a);
        b.store(to_b);
    }
};

// Weights: x under the taps and dy, both with pixels as depth.
template <class A, class B, class Tile>
struct WeightsChunks {
    A a;
    B b;
    int left;

    __device__ __forceinline__ void load(float* to_a, float* to_b) {
        a.load(to_a);
        b.load(to_b, left, Tile::depth);
        left -= Tile::depth;
    }
    __device__ __forceinline__ void store(float* to_a, float* to_b) const {
        a.store(to_a);
        b.store(to_b);
    }
};

// ---- The product ----

// Adds up all chunks. Threads may use `shared` for something else afterwards.
template <class Math, class Tile, class LayoutA, class LayoutB, class Chunks>
__device__ __forceinline__ void multiply(float* shared, Chunks& chunks, int count, float (&sums)[SUMS]) {
    constexpr int buffer = LayoutA::floats + LayoutB::floats;
#pragma unroll
    for (int e = 0; e < SUMS; e++) sums[e] = 0.0f;
    // Two buffers take turns. A chunk's buffer follows from the number of chunks that are left.
    if (count > 0) {
        float* first = shared + (count & 1) * buffer;
        chunks.load(first, first + LayoutA::floats);
        chunks.store(first, first + LayoutA::floats);
    }
    finish_copies<Math>();
    __syncthreads();
    for (int left = count; left > 0; left--) {
        const float* now = shared + (left & 1) * buffer;
        float* next = shared + (~left & 1) * buffer;
        if (left > 1) chunks.load(next, next + LayoutA::floats);
        Math::template multiply<Tile, LayoutA, LayoutB>(now, now + LayoutA::floats, sums);
        if (left > 1) chunks.store(next, next + LayoutA::floats);
        finish_copies<Math>();
        __syncthreads();
    }
}

// Floats of shared memory: two chunks, or a quarter of all sums
template <class Tile, class LayoutA, class LayoutB>
constexpr int shared_floats() {
    constexpr int chunks = 2 * (LayoutA::floats + LayoutB::floats), quarter = THREADS * SUMS / 4;
    return Tile::groups > 1 && quarter > chunks ? quarter : chunks;
}

// Adds up the sums of the groups in order, a quarter of the sums at a time, and writes them. Each group ends with its share of the tile.
template <class Math, class Tile, class Writer>
__device__ __forceinline__ void finish(float* shared, float (&sums)[SUMS], const Writer& writer) {
    int row = Tile::warp_row(), column = Tile::warp_column();
#pragma unroll
    for (int quarter = 0; quarter < 4; quarter++) {
        bool mine = Tile::group() == quarter * Tile::groups / 4;
        if (Tile::groups > 1) {
            if (quarter > 0) __syncthreads();
#pragma unroll
            for (int q = 0; q < 4; q++) {
                const float* v = sums + quarter * 16 + q * 4;
                store4(shared + (q * THREADS + threadIdx.x) * 4, make_float4(v[0], v[1], v[2], v[3]));
            }
            __syncthreads();
            if (mine) {
#pragma unroll
                for (int q = 0; q < 4; q++) {
                    const float* first = shared + (q * THREADS + threadIdx.x % Tile::group_threads) * 4;
                    float4 sum = load4(first);
#pragma unroll
                    for (int g = 1; g < Tile::groups; g++) {
                        float4 v = load4(first + g * Tile::group_threads * 4);
                        sum.x += v.x;
                        sum.y += v.y;
                        sum.z += v.z;
                        sum.w += v.w;
                    }
                    float* to = sums + quarter * 16 + q * 4;
                    to[0] = sum.x;
                    to[1] = sum.y;
                    to[2] = sum.z;
                    to[3] = sum.w;
                }
            }
        }
        if (mine || Tile::groups == 1) {
            // The sums of a quarter lie in two rows.
            int at[2];
#pragma unroll
            for (int r = 0; r < 2; r++) at[r] = writer.row(row + Math::row(quarter * 16 + r * Math::next_row));
#pragma unroll
            for (int e = quarter * 16; e < quarter * 16 + 16; e += Math::together) {
                writer.template put<Math::together>(at[e / Math::next_row % 2], column + Math::column(e), sums + e);
            }
        }
    }
}

// ---- What becomes of the sums ----

template <int COUNT, bool ALIGNED>
__device__ __forceinline__ void read(float (&to)[COUNT], const float* from, int left) {
    if (ALIGNED && COUNT == 4) {
        float4 v = load4(from);
        to[0] = v.x, to[1] = v.y, to[COUNT - 2] = v.z, to[COUNT - 1] = v.w;
    } else if (ALIGNED && COUNT == 2) {
        float2 v = *reinterpret_cast<const float2*>(from);
        to[0] = v.x, to[1] = v.y;
    } else {
#pragma unroll
        for (int i = 0; i < COUNT; i++) to[i] = i < left ? from[i] : 0.0f;
    }
}

template <int COUNT, bool ALIGNED>
__device__ __forceinline__ void write(float* to, const float (&from)[COUNT], int left) {
    if (ALIGNED && COUNT == 4) {
        store4(to, make_float4(from[0], from[1], from[COUNT - 2], from[COUNT - 1]));
    } else if (ALIGNED && COUNT == 2) {
        *reinterpret_cast<float2*>(to) = make_float2(from[0], from[1]);
    } else {
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            if (i < left) to[i] = from[i];
        }
    }
}

// y = relu?(sum·scale + shift + shortcut)
template <bool ALIGNED>
struct WriteOutputs {
    const float *scale, *shift, *shortcut;
    float* y;
    int relu, first_row, first_column, rows, columns;

    // The offset of a row, −1 beyond the last one
    __device__ __forceinline__ int row(int row) const { return first_row + row < rows ? (first_row + row) * columns : -1; }
    template <int COUNT>
    __device__ __forceinline__ void put(int at, int column, const float* sums) const {
        column += first_column;
        if (at < 0 || column >= columns) return;
        int left = columns - column;
        at += column;
        float v[COUNT], other[COUNT];
#pragma unroll
        for (int i = 0; i < COUNT; i++) v[i] = sums[i];
        if (scale) {
            read<COUNT, ALIGNED>(other, scale + column, left);
#pragma unroll
            for (int i = 0; i < COUNT; i++) v[i] = mul(v[i], other[i]);
        }
        if (shift) {
            read<COUNT, ALIGNED>(other, shift + column, left);
#pragma unroll
            for (int i = 0; i < COUNT; i++) v[i] = add(v[i], other[i]);
        }
        if (shortcut) {
            read<COUNT, ALIGNED>(other, shortcut + at, left);
#pragma unroll
            for (int i = 0; i < COUNT; i++) v[i] = add(v[i], other[i]);
        }
        if (relu) {
#pragma unroll
            for (int i = 0; i < COUNT; i++) v[i] = v[i] < 0.0f ? 0.0f : v[i];
        }
        write<COUNT, ALIGNED>(y + at, v, left);
    }
};

// A row of the product is a pixel of the class.
template <bool ALIGNED>
struct WriteInputs {
    float* dx;
    ParityClass pixels;
    int accumulate, first_row, first_column, columns, stride, height, width;

    __device__ __forceinline__ int row(int row) const {
        row += first_row;
        if (row >= pixels.rows) return -1;
        if (stride == 1) return row * columns;
        int line = row / pixels.rows_wide, image = line / pixels.rows_high;
        int y = (line - image * pixels.rows_high) * stride + pixels.first_y, x = (row - line * pixels.rows_wide) * stride + pixels.first_x;
        return ((image * height + y) * width + x) * columns;
    }
    template <int COUNT>
    __device__ __forceinline__ void put(int at, int column, const float* sums) const {
        column += first_column;
        if (at < 0 || column >= columns) return;
        int left = columns - column;
        float* to = dx + at + column;
        float v[COUNT], before[COUNT];
#pragma unroll
        for (int i = 0; i < COUNT; i++) v[i] = sums[i];
        if (accumulate) {
            read<COUNT, ALIGNED>(before, to, left);
#pragma unroll
            for (int i = 0; i < COUNT; i++) v[i] = add(before[i], v[i]);
        }
        write<COUNT, ALIGNED>(to, v, left);
    }
};

// ---- The kernels' bodies ----

// The chunks of split `split` of `splits`
struct Share {
    int first, count;

    __device__ __forceinline__ Share(int chunks, int split, int splits) {
        first = (int)((long long)chunks * split / splits);
        count = (int)((long long)chunks * (split + 1) / splits) - first;
    }
};

__device__ __forceinline__ int ceiling(int a, int b) { return (a + b - 1) / b; }

// Grid: (⌈output pixels / rows⌉, ⌈output / columns⌉, splits)
template <class Math, class Tile, bool ANY>
struct Forward {
    typedef typename Math::template DepthRows<Tile::rows, Tile::depth> LayoutA;
    typedef typename Math::template DepthTogether<Tile::columns, Tile::depth> LayoutB;
    typedef float Buffer[shared_floats<Tile, LayoutA, LayoutB>()];

    static __device__ __forceinline__ void run(
        Buffer& shared, typename OriginsIf<ANY>::Type& origins, const float* x, const float* w, const float* scale, const float* shift,
        const float* shortcut, float* y, const Shape& shape, int relu
    ) {
        int rows = shape.images * shape.out_height * shape.out_width, taps = shape.kernel * shape.kernel;
        int first_row = blockIdx.x * Tile::rows, first_column = blockIdx.y * Tile::columns;
        Window window = {shape.out_height, shape.out_width, shape.stride, -shape.padding, -shape.padding,
                         shape.kernel, shape.kernel, shape.height, shape.width, shape.input};
        float sums[SUMS];
        if constexpr (ANY) {
            Share share(ceiling(taps * shape.input, Tile::depth), blockIdx.z, gridDim.z);
            int first = share.first * Tile::depth;
            AnyForwardChunks<Math, Tile, LayoutA, LayoutB> chunks = {
                {x, window, first_row, rows, origins}, {w, first, shape.output, first_column},
                Odometer(first + threadIdx.x % Tile::depth, Tile::depth, shape.kernel, shape.input),
                taps * shape.input - first, shape.kernel};
            __syncthreads();
            multiply<Math, Tile, LayoutA, LayoutB>(shared, chunks, share.count, sums);
        } else {
            Share share(taps * ceiling(shape.input, Tile::depth), blockIdx.z, gridDim.z);
            Chunk chunk(share.first, Tile::depth, shape.kernel, shape.input);
            ForwardChunks<Math, Tile, LayoutA, LayoutB> chunks(
                x, w, shape, window, Origin(window, first_row + DepthQuads<Tile::rows, Tile::depth>::row(), rows), first_column, chunk);
            multiply<Math, Tile, LayoutA, LayoutB>(shared, chunks, share.count, sums);
        }
        float* part = y + (long long)blockIdx.z * rows * shape.output;
        WriteOutputs<!ANY> writer = {scale, shift, shortcut, part, relu, first_row, first_column, rows, shape.output};
        finish<Math, Tile>(shared, sums, writer);
    }
};

// Lines y of dx with the same (y + padding) mod stride, and columns alike, see the same taps: they are a class. Classes with the most
// taps come first.
// Grid: (⌈images·⌈height / stride⌉·⌈width / stride⌉ / rows⌉, ⌈input / columns⌉, stride²·splits)
template <class Math, class Tile, bool ANY>
struct Data {
    typedef typename Math::template DepthRows<Tile::rows, Tile::depth> LayoutA;
    typedef typename Math::template DepthRows<Tile::columns, Tile::depth> LayoutB;
    typedef float Buffer[shared_floats<Tile, LayoutA, LayoutB>()];

    static __device__ __forceinline__ void run(
        Buffer& shared, ParityClass& kept, typename OriginsIf<ANY>::Type& origins, const float* dy, const float* w, float* dx,
        const Shape& shape, int accumulate
    ) {
        int stride = shape.stride, splits = gridDim.z / (stride * stride), kind = blockIdx.z / splits, split = blockIdx.z - kind * splits;
        int kind_y = kind / stride, kind_x = kind - kind_y * stride;
        ParityClass pixels;
        pixels.first_y = (kind_y + stride - shape.padding % stride) % stride;
        pixels.first_x = (kind_x + stride - shape.padding % stride) % stride;
        pixels.rows_high = (shape.height - pixels.first_y + stride - 1) / stride;
        pixels.rows_wide = (shape.width - pixels.first_x + stride - 1) / stride;
        pixels.rows = shape.images * pixels.rows_high * pixels.rows_wide;
        int first_row = blockIdx.x * Tile::rows, first_column = blockIdx.y * Tile::columns;
        pixels.taps_wide = (shape.kernel - kind_x + stride - 1) / stride;
        int taps_high = (shape.kernel - kind_y + stride - 1) / stride, taps = taps_high * pixels.taps_wide;
        if (first_row >= pixels.rows || (taps == 0 && accumulate)) return;
        pixels.split = split;
        // What is needed again later waits in shared memory: registers are scarce.
        if (threadIdx.x == 0) kept = pixels;
        __syncthreads();
        Window window = {pixels.rows_high, pixels.rows_wide, 1, (pixels.first_y + shape.padding - kind_y) / stride,
                         (pixels.first_x + shape.padding - kind_x) / stride, taps_high, pixels.taps_wide,
                         shape.out_height, shape.out_width, shape.output};
        float sums[SUMS];
        if constexpr (ANY) {
            Share share(ceiling(taps * shape.output, Tile::depth), split, splits);
            // A class without taps has no chunks; the odometer still divides.
            Odometer place(share.first * Tile::depth + threadIdx.x % Tile::depth, Tile::depth, maximum(window.taps_wide, 1), shape.output);
            TapWeights weights = {kind_y, kind_x, stride, shape.kernel, shape.input * shape.output};
            AnyDataChunks<Math, Tile, LayoutA, LayoutB> chunks = {
                {dy, window, first_row, pixels.rows, origins}, {w, shape, first_column}, place, weights, window.taps_high};
            __syncthreads();
            multiply<Math, Tile, LayoutA, LayoutB>(shared, chunks, share.count, sums);
        } else {
            Share share(taps * ceiling(shape.output, Tile::depth), split, splits);
            Chunk chunk(share.first, Tile::depth, maximum(window.taps_wide, 1), shape.output);
            DataChunks<Math, Tile, LayoutA, LayoutB> chunks(
                dy, w, shape, kept, window, Origin(window, first_row + DepthQuads<Tile::rows, Tile::depth>::row(), pixels.rows),
                (kind_y + stride * chunk.tap_y) * shape.kernel + kind_x + stride * chunk.tap_x,
                first_column + DepthQuads<Tile::columns, Tile::depth>::row(), chunk);
            multiply<Math, Tile, LayoutA, LayoutB>(shared, chunks, share.count, sums);
        }
        float* part = dx + (long long)kept.split * shape.images * shape.height * shape.width * shape.input;
        WriteInputs<!ANY> writer = {part, kept, accumulate, first_row, first_column, shape.input, stride, shape.height, shape.width};
        finish<Math, Tile>(shared, sums, writer);
    }
};

// Grid: (⌈kernel²·input / rows⌉, ⌈output / columns⌉, splits)
template <class Math, class Tile, bool ANY>
struct Weights {
    typedef typename Math::template DepthTogether<Tile::rows, Tile::depth> LayoutA;
    typedef typename Math::template DepthTogether<Tile::columns, Tile::depth> LayoutB;
    typedef float Buffer[shared_floats<Tile, LayoutA, LayoutB>()];

    template <class A, class B>
    static __device__ __forceinline__ void run_with(Buffer& shared, const float* x, const float* dy, float* partial, const Shape& shape) {
        int rows = shape.kernel * shape.kernel * shape.input, pixels = shape.images * shape.out_height * shape.out_width;
        int first_row = blockIdx.x * Tile::rows, first_column = blockIdx.y * Tile::columns;
        Share share(ceiling(pixels, Tile::depth), blockIdx.z, gridDim.z);
        int first = share.first * Tile::depth, end = minimum(first + share.count * Tile::depth, pixels);
        WeightsChunks<A, B, Tile> chunks = {{x, shape, first_row, first, end}, {dy, first, shape.output, first_column}, end - first};
        float sums[SUMS];
        multiply<Math, Tile, LayoutA, LayoutB>(shared, chunks, share.count, sums);
        float* part = partial + (long long)blockIdx.z * rows * shape.output;
        WriteOutputs<!ANY> writer = {nullptr, nullptr, nullptr, part, 0, first_row, first_column, rows, shape.output};
        finish<Math, Tile>(shared, sums, writer);
    }
    static __device__ __forceinline__ void run(Buffer& shared, const float* x, const float* dy, float* partial, const Shape& shape) {
        if constexpr (ANY) {
            run_with<AnyPixelColumns<Math, LayoutA, Tile::rows, Tile::depth>, AnyMatrixRows<Math, LayoutB, Tile::columns, Tile::depth>>(
                shared, x, dy, partial, shape);
        } else {
            run_with<PixelColumns<Math, LayoutA, Tile::rows, Tile::depth>, MatrixRows<Math, LayoutB, Tile::columns, Tile::depth>>(
                shared, x, dy, partial, shape);
        }
    }
};

}  // namespace convolution

// ---- Kernels of a kind of arithmetic and a tile ----
// Vector kernels need input and output that divide by 4; the `any` kernels take any number of channels.

// y = relu?(conv(x, w)·scale + shift + shortcut), each term if it is given. x: (images, height, width, input), w: (kernel, kernel, input,
// output), y and shortcut: (images, out_height, out_width, output), scale and shift: (output).
// With several splits, y is partial[split][y's count], scale, shift and shortcut are null, relu is 0, and conv_forward_finish follows.
// Launch: grid (⌈images·out_height·out_width / rows⌉, ⌈output / columns⌉, splits), block 256.
#define CONV_FORWARD(name, math, rows, columns, depth, any)                                                                          \
    KERNEL_RESIDENT(                                                                                                                 \
        name, 2, const float* x, const float* w, const float* scale, const float* shift, const float* shortcut, float* y,            \
        CONVOLUTION_SHAPE, int relu                                                                                                  \
    ) {                                                                                                                              \
        typedef convolution::Forward<convolution::math, convolution::Tile<rows, columns, depth>, any> Forward;                       \
        SHARED(Forward::Buffer, shared);                                                                                             \
        SHARED(convolution::OriginsIf<any>::Type, origins);                                                                          \
        Forward::run(shared, origins, x, w, scale, shift, shortcut, y, CONVOLUTION_SHAPE_VALUES, relu);                              \
    }

// dx (+)= the gradient of the input: every input pixel gathers from the outputs that saw it.
// With several splits, dx is partial[split][dx's count], accumulate is 0, and sum_parts follows.
// Launch: grid (⌈images·⌈height / stride⌉·⌈width / stride⌉ / rows⌉, ⌈input / columns⌉, stride²·splits), block 256.
#define CONV_DATA(name, math, rows, columns, depth, any)                                                                             \
    KERNEL_RESIDENT(name, 2, const float* dy, const float* w, float* dx, CONVOLUTION_SHAPE, int accumulate) {                        \
        typedef convolution::Data<convolution::math, convolution::Tile<rows, columns, depth>, any> Data;                             \
        SHARED(Data::Buffer, shared);                                                                                                \
        SHARED(convolution::ParityClass, kept);                                                                                      \
        SHARED(convolution::OriginsIf<any>::Type, origins);                                                                          \
        Data::run(shared, kept, origins, dy, w, dx, CONVOLUTION_SHAPE_VALUES, accumulate);                                           \
    }

// partial[split][kernel²·input·output]: the gradient of the weights from a range of output pixels, in units of `depth`. sum_parts
// follows; with one split, partial may be dw itself if it is to be overwritten.
// Launch: grid (⌈kernel²·input / rows⌉, ⌈output / columns⌉, splits), block 256.
#define CONV_WEIGHTS(name, math, rows, columns, depth, any)                                                                          \
    KERNEL_RESIDENT(name, 2, const float* x, const float* dy, float* partial, CONVOLUTION_SHAPE) {                                   \
        typedef convolution::Weights<convolution::math, convolution::Tile<rows, columns, depth>, any> Weights;                       \
        SHARED(Weights::Buffer, shared);                                                                                             \
        Weights::run(shared, x, dy, partial, CONVOLUTION_SHAPE_VALUES);                                                              \
    }
