// cuDNN 9 without a GPU: libcudnn.so.9 with the functions that src/tensor/cuda/cudnn.rs calls. It computes with plain loops, in the
// order of the emulated driver's streams and on its memory (driver.cpp's emulation_enqueue and emulation_holds).
//
//   g++ -std=c++20 -O2 -ffp-contract=off -fPIC -fvisibility=hidden -shared -Wl,-soname,libcudnn.so.9 cudnn.cpp -ldl -o libcudnn.so.9
//
// cudarc looks for libcudnn.so first and for libcudnn.so.9 late. didact also looks for the libraries that cuDNN 9 consists of:
// libcudnn_graph.so.9, libcudnn_ops.so.9 and libcudnn_cnn.so.9 can be links to this one.
//
// It knows f32 in NHWC, square or not, without groups and dilation, and the algorithms that didact asks for. It is stricter than cuDNN:
//   - all sizes, pointers and the memory behind them are checked, and the workspace is filled with NaNs before it could be used;
//   - outputs that overlap an input or the workspace end the program;
//   - a convolution whose first call comes while the stream captures fails: cuDNN may then load kernels, which a capture may not allow;
//   - alpha must be 1, and beta 0 or 1.
//
// Environment:
//   EMULATION_CUDNN_VERSION  what cudnnGetVersion says (91002)
//   EMULATION_CUDNN_REFUSES  strides: convolutions with strides are "not supported"
//   EMULATION_TRACE          1: prints each convolution that runs
#include <dlfcn.h>

#include <algorithm>
#include <compare>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace {

enum Status : unsigned {
    success = 0,
    not_initialized = 1001,
    bad_param = 2000,
    null_pointer = 2002,
    misaligned_pointer = 2003,
    size_insufficient = 2006,
    shape_mismatch = 2008,
    not_supported = 3000,
    not_supported_data_type = 3003,
    not_supported_layout = 3004,
    execution_failed_driver = 5001,
};
const std::pair<Status, const char*> names[] = {
    {success, "CUDNN_STATUS_SUCCESS"},
    {not_initialized, "CUDNN_STATUS_NOT_INITIALIZED"},
    {bad_param, "CUDNN_STATUS_BAD_PARAM"},
    {null_pointer, "CUDNN_STATUS_BAD_PARAM_NULL_POINTER"},
    {misaligned_pointer, "CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER"},
    {size_insufficient, "CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT"},
    {shape_mismatch, "CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH"},
    {not_supported, "CUDNN_STATUS_NOT_SUPPORTED"},
    {not_supported_data_type, "CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE"},
    {not_supported_layout, "CUDNN_STATUS_NOT_SUPPORTED_LAYOUT"},
    {execution_failed_driver, "CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER"},
};

// ---- Errors ----

thread_local char last_error[256] = "";

[[gnu::format(printf, 2, 3)]] Status refuse(Status status, const char* format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(last_error, sizeof last_error, format, values);
    va_end(values);
    return status;
}
[[noreturn, gnu::format(printf, 1, 2)]] void fail(const char* format, ...) {
    fprintf(stderr, "emulation: cuDNN: ");
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    abort();
}

// ---- The driver ----

typedef unsigned long long Address;  // CUdeviceptr
struct Driver {
    int (*current_context)(void**);
    int (*is_capturing)(void*, int*);
    int (*enqueue)(void*, void (*)(void*), void*, void (*)(void*));
    int (*holds)(Address, size_t);
};
// The driver that this process has loaded. Only the emulated one has what is needed.
const Driver* driver() {
    static const Driver* found = []() -> const Driver* {
        void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
        if (!library) return nullptr;
        static Driver functions;
        bool all = true;
        auto find = [&](auto& function, const char* name) {
            function = (std::decay_t<decltype(function)>)dlsym(library, name);
            all &= function != nullptr;
        };
        find(functions.current_context, "cuCtxGetCurrent");
        find(functions.is_capturing, "cuStreamIsCapturing");
        find(functions.enqueue, "emulation_enqueue");
        find(functions.holds, "emulation_holds");
        return all ? &functions : nullptr;
    }();
    return found;
}

// ---- Objects ----

std::mutex lock;
typedef std::lock_guard<std::mutex> Locked;

struct Tensor {
    bool set = false;
    int images, channels, height, width;
    size_t count() const { return (size_t)images * channels * height * width; }
};
struct Filter {
    bool set = false;
    int output, input, height, width;
    size_t count() const { return (size_t)output * input * height * width; }
};
struct Operation {
    bool set = false;
    int padding_y, padding_x, stride_y, stride_x;
    bool tf32 = true;  // CUDNN_DEFAULT_MATH
};

enum Pass { forward, backward_data, backward_filter };
const char* const pass_names[] = {"forward", "backward, data", "backward, filter"};

// A convolution from images (x, or their gradient) to outputs (y, or their gradient).
struct Geometry {
    Pass pass;
    int images, height, width, input, output, kernel_y, kernel_x, padding_y, padding_x, stride_y, stride_x, out_height, out_width;
    bool tf32;
    size_t image_count() const { return (size_t)images * height * width * input; }
    size_t weight_count() const { return (size_t)output * kernel_y * kernel_x * input; }
    size_t output_count() const { return (size_t)images * out_height * out_width * output; }
    auto operator<=>(const Geometry&) const = default;
};

struct Handle {
    void* stream = nullptr;
    std::set<Geometry> warm;  // convolutions that were called while nothing was captured
};

// All living objects of a kind.
template <class T>
std::set<T*>& living() {
    static auto* all = new std::set<T*>;  // never destroyed: other libraries may call at exit
    return *all;
}
template <class T>
T* find(void* object) {
    return living<T>().count((T*)object) ? (T*)object : nullptr;
}
template <class T>
Status create(void** object) {
    Locked locked(lock);
    if (!object) return refuse(null_pointer, "no place for the object");
    T* fresh = new T;
    living<T>().insert(fresh);
    *object = fresh;
    return success;
}
template <class T>
Status destroy(void* object) {
    Locked locked(lock);
    if (!living<T>().erase((T*)object)) return refuse(bad_param, "an object of another kind, or destroyed before");
    delete (T*)object;
    return success;
}

// ---- Checks ----

constexpr int data_float = 0, format_nhwc = 1, cross_correlation = 1, default_math = 0, fma_math = 3;
constexpr int algorithms[] = {1, 1, 1};  // IMPLICIT_PRECOMP_GEMM, BWD_DATA_ALGO_1, BWD_FILTER_ALGO_1

Status geometry_of(Geometry& geometry, Pass pass, void* handle, void* image, void* filter, void* operation, void* output, int algorithm) {
    if (!find<Handle>(handle)) return refuse(bad_param, "not a handle");
    Tensor *x = find<Tensor>(image), *y = find<Tensor>(output);
    Filter* w = find<Filter>(filter);
    Operation* conv = find<Operation>(operation);
    if (!x || !y || !w || !conv) return refuse(bad_param, "a descriptor of another kind, or destroyed before");
    if (!x->set || !y->set || !w->set || !conv->set) return refuse(bad_param, "a descriptor without values");
    if (algorithm != algorithms[pass]) return refuse(not_supported, "the emulation does not know algorithm %d", algorithm);
    auto side = [](int side, int padding, int kernel, int stride) { return side + 2 * padding < kernel ? 0 : (side + 2 * padding - kernel) / stride + 1; };
    geometry = {pass, x->images, x->height, x->width, w->input, w->output, w->height, w->width, conv->padding_y, conv->padding_x, conv->stride_y,
                conv->stride_x, side(x->height, conv->padding_y, w->height, conv->stride_y), side(x->width, conv->padding_x, w->width, conv->stride_x),
                conv->tf32};
    if (x->channels != w->input || y->channels != w->output || y->images != x->images || y->height != geometry.out_height ||
        y->width != geometry.out_width || geometry.out_height < 1 || geometry.out_width < 1) {
        return refuse(shape_mismatch, "(%d, %d, %d, %d) by (%d, %d, %d, %d) is not (%d, %d, %d, %d), all NHWC", x->images, x->height, x->width,
                      x->channels, w->output, w->height, w->width, w->input, y->images, y->height, y->width, y->channels);
    }
    const char* refused = getenv("EMULATION_CUDNN_REFUSES");
    if (refused && !strcmp(refused, "strides") && (conv->stride_y > 1 || conv->stride_x > 1)) return refuse(not_supported, "strides");
    return success;
}

// Some convolutions need no workspace, others one of an odd size.
size_t workspace_of(const Geometry& g) {
    switch (g.pass) {
        case forward: return 4 * (size_t)g.kernel_y * g.kernel_x + 12;
        case backward_data: return g.stride_y == 1 ? 0 : 4 * g.image_count() + 4;
        default: return 8 * g.weight_count();
    }
}

// ---- Arithmetic ----

// Rounds to 10 bits of mantissa, as kernels/convolution_tf32.cu does.
float to_tf32(float v) {
    uint32_t bits;
    memcpy(&bits, &v, 4);
    bits = (bits + 0x1000u) & 0xffffe000u;
    float rounded;
    memcpy(&rounded, &bits, 4);
    return v != v ? v : rounded;
}
// The operand's values, rounded if they must be.
struct Operand {
    std::vector<float> rounded;
    const float* values;
    Operand(const float* from, size_t count, bool tf32) : values(from) {
        if (!tf32) return;
        rounded.resize(count);
        std::transform(from, from + count, rounded.begin(), to_tf32);
        values = rounded.data();
    }
};

struct Work {
    Geometry g;
    const float *a, *b;  // x and w, w and dy, or x and dy
    float *result, *workspace;
    size_t workspace_bytes;
    bool add;

    size_t count_a() const { return g.pass == backward_data ? g.weight_count() : g.image_count(); }
    size_t count_b() const { return g.pass == forward ? g.weight_count() : g.output_count(); }
    size_t count_result() const {
        return g.pass == forward ? g.output_count() : g.pass == backward_data ? g.image_count() : g.weight_count();
    }

    void put(float* to, double sum) const { *to = add ? *to + (float)sum : (float)sum; }

    // Calls body(outputs of a pixel, values under a tap of it, weights of the tap), as offsets, for all taps within the image.
    template <class Body>
    void over_taps(int image, int out_y, int out_x, Body body) const {
        for (int r = 0; r < g.kernel_y; r++) {
            int y = out_y * g.stride_y - g.padding_y + r;
            if (y < 0 || y >= g.height) continue;
            for (int s = 0; s < g.kernel_x; s++) {
                int x = out_x * g.stride_x - g.padding_x + s;
                if (x < 0 || x >= g.width) continue;
                body((((size_t)image * g.out_height + out_y) * g.out_width + out_x) * g.output, (((size_t)image * g.height + y) * g.width + x) * g.input,
                     ((size_t)r * g.kernel_x + s) * g.input);
            }
        }
    }
    template <class Body>
    void over_pixels(Body body) const {
        for (int image = 0; image < g.images; image++) {
            for (int y = 0; y < g.out_height; y++) {
                for (int x = 0; x < g.out_width; x++) body(image, y, x);
            }
        }
    }

    void compute() const {
        Operand first(a, count_a(), g.tf32), second(b, count_b(), g.tf32);
        const float *u = first.values, *v = second.values;
        size_t taps = (size_t)g.kernel_y * g.kernel_x * g.input;  // weights of an output
        if (g.pass == forward) {
            std::vector<double> sums((size_t)g.output);
            over_pixels([&](int image, int y, int x) {
                std::fill(sums.begin(), sums.end(), 0.0);
                over_taps(image, y, x, [&](size_t, size_t pixel, size_t tap) {
                    for (int k = 0; k < g.output; k++) {
                        const float* weights = v + k * taps + tap;
                        double sum = 0.0;
                        for (int c = 0; c < g.input; c++) sum += (double)u[pixel + c] * weights[c];
                        sums[(size_t)k] += sum;
                    }
                });
                float* to = result + (((size_t)image * g.out_height + y) * g.out_width + x) * g.output;
                for (int k = 0; k < g.output; k++) put(to + k, sums[(size_t)k]);
            });
            return;
        }
        std::vector<double> sums(count_result());
        over_pixels([&](int image, int y, int x) {
            over_taps(image, y, x, [&](size_t outputs, size_t pixel, size_t tap) {
                for (int k = 0; k < g.output; k++) {
                    size_t weights = k * taps + tap;
                    double dy = v[outputs + k];
                    if (g.pass == backward_data) {
                        for (int c = 0; c < g.input; c++) sums[pixel + c] += dy * u[weights + c];
                    } else {
                        for (int c = 0; c < g.input; c++) sums[weights + c] += dy * u[pixel + c];
                    }
                }
            });
        });
        for (size_t i = 0; i < sums.size(); i++) put(result + i, sums[i]);
    }

    void run() const {
        struct Range {
            const char* what;
            const void* start;
            size_t bytes;
        };
        const Range ranges[] = {
            {"result", result, 4 * count_result()},
            {"first operand", a, 4 * count_a()},
            {"second operand", b, 4 * count_b()},
            {"workspace", workspace, workspace_bytes},
        };
        for (const Range& range : ranges) {
            if (range.bytes && !driver()->holds((Address)range.start, range.bytes)) {
                fail("%s: the %s, %zu bytes at %p, is in no allocation", pass_names[g.pass], range.what, range.bytes, range.start);
            }
        }
        auto overlap = [](const Range& a, const Range& b) {
            auto from = [](const Range& range) { return (const char*)range.start; };
            return a.bytes && b.bytes && from(a) < from(b) + b.bytes && from(b) < from(a) + a.bytes;
        };
        for (size_t i = 1; i < 4; i++) {
            if (overlap(ranges[0], ranges[i])) fail("%s: the result overlaps the %s", pass_names[g.pass], ranges[i].what);
            if (i < 3 && overlap(ranges[3], ranges[i])) fail("%s: the workspace overlaps the %s", pass_names[g.pass], ranges[i].what);
        }
        if (workspace_bytes) memset(workspace, 0xff, workspace_bytes);
        const char* trace = getenv("EMULATION_TRACE");
        if (trace && !strcmp(trace, "1")) {
            fprintf(stderr, "emulation: cuDNN %-20s (%d, %d, %d, %d) to %d, kernel %d, stride %d%s\n", pass_names[g.pass], g.images, g.height, g.width,
                    g.input, g.output, g.kernel_y, g.stride_y, g.tf32 ? ", TF32" : "");
        }
        compute();
    }
};

Status start(const Geometry& g, void* handle, const void* alpha, const void* a, const void* b, void* workspace, size_t workspace_bytes,
             const void* beta, void* result) {
    if (!alpha || !beta || !a || !b || !result) return refuse(null_pointer, "a null pointer among the operands, alpha and beta");
    float factor, before;
    memcpy(&factor, alpha, 4);
    memcpy(&before, beta, 4);
    if (factor != 1.0f || (before != 0.0f && before != 1.0f)) return refuse(not_supported, "alpha %g, beta %g", factor, before);
    for (const void* pointer : {a, b, (const void*)result, (const void*)workspace}) {
        if ((uintptr_t)pointer % 16) return refuse(misaligned_pointer, "%p is not a multiple of 16", pointer);
    }
    if (workspace_bytes < workspace_of(g)) return refuse(size_insufficient, "a workspace of %zu bytes instead of %zu", workspace_bytes, workspace_of(g));
    if (workspace_bytes && !workspace) return refuse(null_pointer, "no workspace");
    Handle& state = *find<Handle>(handle);
    int capturing = 0;
    if (driver()->is_capturing(state.stream, &capturing) != 0) return refuse(execution_failed_driver, "the stream cannot be used");
    if (!capturing) state.warm.insert(g);
    else if (!state.warm.count(g)) return refuse(execution_failed_driver, "the first call of this convolution came during a capture");
    auto* work = new Work{g, (const float*)a, (const float*)b, (float*)result, (float*)workspace, workspace_bytes, before == 1.0f};
    int error = driver()->enqueue(
        state.stream, [](void* work) { ((Work*)work)->run(); }, work, [](void* work) { delete (Work*)work; });
    return error ? refuse(execution_failed_driver, "the driver's error %d", error) : success;
}

bool positive(std::initializer_list<int> numbers) {
    return std::all_of(numbers.begin(), numbers.end(), [](int number) { return number > 0; });
}

}  // namespace

// ---- cuDNN's functions ----

#define API extern "C" __attribute__((visibility("default")))

API size_t cudnnGetVersion() {
    const char* version = getenv("EMULATION_CUDNN_VERSION");
    return version && *version ? strtoull(version, nullptr, 10) : 91002;
}
API const char* cudnnGetErrorString(unsigned status) {
    for (auto& [known, name] : names) {
        if (known == status) return name;
    }
    return "CUDNN_UNKNOWN_STATUS";
}
API void cudnnGetLastErrorString(char* message, size_t size) {
    if (!message || !size) return;
    snprintf(message, size, "%s", last_error);
    last_error[0] = 0;
}

API unsigned cudnnCreate(void** handle) {
    void* context = nullptr;
    if (!driver()) return refuse(not_initialized, "the emulated driver is not loaded, or an older one");
    if (driver()->current_context(&context) != 0 || !context) return refuse(not_initialized, "this thread has no context");
    return create<Handle>(handle);
}
API unsigned cudnnDestroy(void* handle) { return destroy<Handle>(handle); }
API unsigned cudnnSetStream(void* handle, void* stream) {
    Locked locked(lock);
    Handle* state = find<Handle>(handle);
    int capturing = 0;
    if (!state) return refuse(bad_param, "not a handle");
    if (driver()->is_capturing(stream, &capturing) != 0) return refuse(bad_param, "not a stream");
    state->stream = stream;
    return success;
}

API unsigned cudnnCreateTensorDescriptor(void** tensor) { return create<Tensor>(tensor); }
API unsigned cudnnDestroyTensorDescriptor(void* tensor) { return destroy<Tensor>(tensor); }
API unsigned cudnnSetTensor4dDescriptor(void* object, int format, int type, int images, int channels, int height, int width) {
    Locked locked(lock);
    Tensor* tensor = find<Tensor>(object);
    if (!tensor || !positive({images, channels, height, width})) return refuse(bad_param, "not a tensor, or a size below 1");
    if (type != data_float) return refuse(not_supported_data_type, "data type %d", type);
    if (format != format_nhwc) return refuse(not_supported_layout, "format %d", format);
    *tensor = {true, images, channels, height, width};
    if (tensor->count() >= 1u << 31) return refuse(not_supported, "2^31 values or more");
    return success;
}

API unsigned cudnnCreateFilterDescriptor(void** filter) { return create<Filter>(filter); }
API unsigned cudnnDestroyFilterDescriptor(void* filter) { return destroy<Filter>(filter); }
API unsigned cudnnSetFilter4dDescriptor(void* object, int type, int format, int output, int input, int height, int width) {
    Locked locked(lock);
    Filter* filter = find<Filter>(object);
    if (!filter || !positive({output, input, height, width})) return refuse(bad_param, "not a filter, or a size below 1");
    if (type != data_float) return refuse(not_supported_data_type, "data type %d", type);
    if (format != format_nhwc) return refuse(not_supported_layout, "format %d", format);
    *filter = {true, output, input, height, width};
    return success;
}

API unsigned cudnnCreateConvolutionDescriptor(void** operation) { return create<Operation>(operation); }
API unsigned cudnnDestroyConvolutionDescriptor(void* operation) { return destroy<Operation>(operation); }
API unsigned cudnnSetConvolution2dDescriptor(void* object, int padding_y, int padding_x, int stride_y, int stride_x, int dilation_y, int dilation_x,
                                             int mode, int type) {
    Locked locked(lock);
    Operation* operation = find<Operation>(object);
    if (!operation || padding_y < 0 || padding_x < 0 || !positive({stride_y, stride_x, dilation_y, dilation_x})) {
        return refuse(bad_param, "not a convolution, or wrong lengths");
    }
    if (mode != cross_correlation || dilation_y != 1 || dilation_x != 1) return refuse(not_supported, "mode %d, or dilation", mode);
    if (type != data_float) return refuse(not_supported_data_type, "data type %d", type);
    *operation = {true, padding_y, padding_x, stride_y, stride_x};
    return success;
}
API unsigned cudnnSetConvolutionMathType(void* object, int math) {
    Locked locked(lock);
    Operation* operation = find<Operation>(object);
    if (!operation) return refuse(bad_param, "not a convolution");
    if (math != default_math && math != fma_math) return refuse(not_supported, "math type %d", math);
    operation->tf32 = math == default_math;
    return success;
}

// The geometry and the size of the workspace of a pass.
static unsigned workspace_size(Pass pass, void* handle, void* image, void* filter, void* operation, void* output, int algorithm, size_t* bytes) {
    Locked locked(lock);
    Geometry geometry;
    if (!bytes) return refuse(null_pointer, "no place for the size");
    if (Status status = geometry_of(geometry, pass, handle, image, filter, operation, output, algorithm)) return status;
    *bytes = workspace_of(geometry);
    return success;
}
static unsigned convolve(Pass pass, void* handle, void* image, void* filter, void* operation, void* output, int algorithm, const void* alpha,
                         const void* a, const void* b, void* workspace, size_t workspace_bytes, const void* beta, void* result) {
    Locked locked(lock);
    Geometry geometry;
    if (Status status = geometry_of(geometry, pass, handle, image, filter, operation, output, algorithm)) return status;
    return start(geometry, handle, alpha, a, b, workspace, workspace_bytes, beta, result);
}

API unsigned cudnnGetConvolutionForwardWorkspaceSize(void* handle, void* x, void* w, void* operation, void* y, int algorithm, size_t* bytes) {
    return workspace_size(forward, handle, x, w, operation, y, algorithm, bytes);
}
API unsigned cudnnConvolutionForward(void* handle, const void* alpha, void* x_of, const void* x, void* w_of, const void* w, void* operation,
                                     int algorithm, void* workspace, size_t workspace_bytes, const void* beta, void* y_of, void* y) {
    return convolve(forward, handle, x_of, w_of, operation, y_of, algorithm, alpha, x, w, workspace, workspace_bytes, beta, y);
}
API unsigned cudnnGetConvolutionBackwardDataWorkspaceSize(void* handle, void* w, void* dy, void* operation, void* dx, int algorithm, size_t* bytes) {
    return workspace_size(backward_data, handle, dx, w, operation, dy, algorithm, bytes);
}
API unsigned cudnnConvolutionBackwardData(void* handle, const void* alpha, void* w_of, const void* w, void* dy_of, const void* dy, void* operation,
                                          int algorithm, void* workspace, size_t workspace_bytes, const void* beta, void* dx_of, void* dx) {
    return convolve(backward_data, handle, dx_of, w_of, operation, dy_of, algorithm, alpha, w, dy, workspace, workspace_bytes, beta, dx);
}
API unsigned cudnnGetConvolutionBackwardFilterWorkspaceSize(void* handle, void* x, void* dy, void* operation, void* dw, int algorithm, size_t* bytes) {
    return workspace_size(backward_filter, handle, x, dw, operation, dy, algorithm, bytes);
}
API unsigned cudnnConvolutionBackwardFilter(void* handle, const void* alpha, void* x_of, const void* x, void* dy_of, const void* dy, void* operation,
                                            int algorithm, void* workspace, size_t workspace_bytes, const void* beta, void* dw_of, void* dw) {
    return convolve(backward_filter, handle, x_of, dw_of, operation, dy_of, algorithm, alpha, x, dy, workspace, workspace_bytes, beta, dw);
}
