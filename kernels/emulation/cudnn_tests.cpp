// Tests of the emulated cuDNN and of the kernel that changes the order of weights for it.
//
//   g++ -std=c++20 -O1 cudnn_tests.cpp -ldl -o cudnn_tests && ./cudnn_tests FOLDER/libcuda.so FOLDER/libcudnn.so.9
#include <dlfcn.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "expect_failure.h"

typedef unsigned long long Address;
typedef std::vector<float> Values;
static void *driver, *library;

template <class R = int, class... A>
R call(const char* name, A... arguments) {
    void* function = dlsym(strncmp(name, "cudnn", 5) ? driver : library, name);
    if (!function) {
        printf("no function %s\n", name);
        exit(1);
    }
    return ((R(*)(A...))function)(arguments...);
}
static void expect(int line, const char* what, long long got, long long want) {
    if (got == want) return;
    printf("line %d: %s is %lld, expected %lld\n", line, what, got, want);
    failures++;
}
#define EXPECT(want, ...) expect(__LINE__, #__VA_ARGS__, (long long)(__VA_ARGS__), want)

// ---- The device ----

static void *stream, *module;

static Address allocate(size_t count) {
    Address address = 0;
    EXPECT(0, call("cuMemAlloc_v2", &address, 4 * count));
    return address;
}
static Address upload(const Values& values) {
    Address address = allocate(values.size());
    EXPECT(0, call("cuMemcpyHtoD_v2", address, (const void*)values.data(), 4 * values.size()));
    return address;
}
static Values download(Address address, size_t count) {
    Values values(count);
    EXPECT(0, call("cuMemcpyDtoHAsync_v2", (void*)values.data(), address, 4 * count, stream));
    EXPECT(0, call("cuStreamSynchronize", stream));
    return values;
}
static int transpose(Address x, Address y, int rows, int columns, int accumulate) {
    void* function = nullptr;
    EXPECT(0, call("cuModuleGetFunction", &function, module, "transpose_weights"));
    void* arguments[] = {&x, &y, &rows, &columns, &accumulate};
    unsigned blocks = unsigned((rows + 31) / 32) * unsigned((columns + 31) / 32);
    return call("cuLaunchKernel", function, blocks, 1u, 1u, 256u, 1u, 1u, 0u, stream, (void**)arguments, (void**)nullptr);
}
static Values noise(size_t count, unsigned seed) {
    Values values(count);
    for (auto& v : values) v = (float)((seed = seed * 1103515245u + 12345u) >> 8) / (float)(1 << 23) - 1.0f;
    return values;
}

// ---- A convolution ----

struct Conv {
    int images, height, width, input, output, kernel, stride, padding;
    int out_height() const { return (height + 2 * padding - kernel) / stride + 1; }
    int out_width() const { return (width + 2 * padding - kernel) / stride + 1; }
    size_t x() const { return (size_t)images * height * width * input; }
    size_t w() const { return (size_t)kernel * kernel * input * output; }
    size_t y() const { return (size_t)images * out_height() * out_width() * output; }

    // Calls body(index of x, of w as didact stores it, of y) for each product of the textbook sum.
    template <class Body>
    void products(Body body) const {
        for (int n = 0; n < images; n++)
        for (int oy = 0; oy < out_height(); oy++)
        for (int ox = 0; ox < out_width(); ox++)
        for (int r = 0; r < kernel; r++)
        for (int s = 0; s < kernel; s++)
        for (int c = 0; c < input; c++)
        for (int k = 0; k < output; k++) {
            int iy = oy * stride + r - padding, ix = ox * stride + s - padding;
            if (iy < 0 || ix < 0 || iy >= height || ix >= width) continue;
            body((size_t)((n * height + iy) * width + ix) * input + c, (size_t)((r * kernel + s) * input + c) * output + k,
                 (size_t)((n * out_height() + oy) * out_width() + ox) * output + k);
        }
    }
};

struct Descriptors {
    void *handle = nullptr, *x = nullptr, *w = nullptr, *y = nullptr, *operation = nullptr;

    Descriptors(void* handle, const Conv& c, int math) : handle(handle) {
        EXPECT(0, call("cudnnCreateTensorDescriptor", &x));
        EXPECT(0, call("cudnnCreateTensorDescriptor", &y));
        EXPECT(0, call("cudnnCreateFilterDescriptor", &w));
        EXPECT(0, call("cudnnCreateConvolutionDescriptor", &operation));
        EXPECT(0, call("cudnnSetTensor4dDescriptor", x, 1, 0, c.images, c.input, c.height, c.width));
        EXPECT(0, call("cudnnSetTensor4dDescriptor", y, 1, 0, c.images, c.output, c.out_height(), c.out_width()));
        EXPECT(0, call("cudnnSetFilter4dDescriptor", w, 0, 1, c.output, c.input, c.kernel, c.kernel));
        EXPECT(0, call("cudnnSetConvolution2dDescriptor", operation, c.padding, c.padding, c.stride, c.stride, 1, 1, 1, 0));
        EXPECT(0, call("cudnnSetConvolutionMathType", operation, math));
    }
    ~Descriptors() {
        EXPECT(0, call("cudnnDestroyTensorDescriptor", x));
        EXPECT(0, call("cudnnDestroyTensorDescriptor", y));
        EXPECT(0, call("cudnnDestroyFilterDescriptor", w));
        EXPECT(0, call("cudnnDestroyConvolutionDescriptor", operation));
    }
    // 0 forward, 1 data, 2 weights
    int workspace(int pass, size_t* bytes, int algorithm = 1) {
        if (pass == 0) return call("cudnnGetConvolutionForwardWorkspaceSize", handle, x, w, operation, y, algorithm, bytes);
        if (pass == 1) return call("cudnnGetConvolutionBackwardDataWorkspaceSize", handle, w, y, operation, x, algorithm, bytes);
        return call("cudnnGetConvolutionBackwardFilterWorkspaceSize", handle, x, y, operation, w, algorithm, bytes);
    }
    int run(int pass, Address x_at, Address w_at, Address y_at, Address workspace, size_t bytes, float beta) {
        float alpha = 1;
        const void *a = &alpha, *b = &beta;
        auto p = [](Address address) { return (void*)address; };
        if (pass == 0) return call("cudnnConvolutionForward", handle, a, x, p(x_at), w, p(w_at), operation, 1, p(workspace), bytes, b, y, p(y_at));
        if (pass == 1) return call("cudnnConvolutionBackwardData", handle, a, w, p(w_at), y, p(y_at), operation, 1, p(workspace), bytes, b, x, p(x_at));
        return call("cudnnConvolutionBackwardFilter", handle, a, x, p(x_at), y, p(y_at), operation, 1, p(workspace), bytes, b, w, p(w_at));
    }
};

static void close_to(const Values& got, const Values& want, float tolerance, const char* what, const Conv& c) {
    float worst = 0, largest = 0;
    for (size_t i = 0; i < want.size(); i++) {
        worst = std::fabs(got[i] - want[i]) <= worst ? worst : std::fabs(got[i] - want[i]);  // NaN is not hidden
        largest = std::max(largest, std::fabs(want[i]));
    }
    if (worst <= tolerance * largest) return;
    printf("wrong: %s, kernel %d, stride %d, %d to %d channels: error %g of %g\n", what, c.kernel, c.stride, c.input, c.output, worst, largest);
    failures++;
}

// All three passes with weights in didact's order, once by calls and twice as a graph, which adds.
static void test_convolution(void* handle, const Conv& c, int math) {
    float tolerance = math == 3 ? 1e-6f : 2e-3f;
    Values x = noise(c.x(), 1), w = noise(c.w(), 2), dy = noise(c.y(), 3), y(c.y()), dx(c.x()), dw(c.w());
    c.products([&](size_t i, size_t j, size_t k) {
        y[k] += x[i] * w[j];
        dx[i] += dy[k] * w[j];
        dw[j] += dy[k] * x[i];
    });
    Descriptors of(handle, c, math);
    int depth = c.kernel * c.kernel * c.input;
    Address at_x = upload(x), at_w = upload(w), at_dy = upload(dy), at_y = allocate(c.y()), at_dx = allocate(c.x()), at_dw = allocate(c.w());
    Address krsc = allocate(c.w()), krsc_gradient = allocate(c.w());
    size_t bytes[3];
    Address workspace[3];
    for (int pass = 0; pass < 3; pass++) {
        EXPECT(0, of.workspace(pass, &bytes[pass]));
        workspace[pass] = bytes[pass] ? allocate((bytes[pass] + 3) / 4) : 0;
    }
    auto all = [&](bool add) {
        EXPECT(0, transpose(at_w, krsc, depth, c.output, 0));
        EXPECT(0, of.run(0, at_x, krsc, at_y, workspace[0], bytes[0], 0));
        EXPECT(0, of.run(1, at_dx, krsc, at_dy, workspace[1], bytes[1], add ? 1.0f : 0.0f));
        EXPECT(0, of.run(2, at_x, krsc_gradient, at_dy, workspace[2], bytes[2], 0));
        EXPECT(0, transpose(krsc_gradient, at_dw, c.output, depth, add));
    };
    auto check = [&](float times, const char* when) {
        Values expected_dx = dx, expected_dw = dw;
        for (auto& v : expected_dx) v *= times;
        for (auto& v : expected_dw) v *= times;
        close_to(download(at_y, c.y()), y, tolerance, when, c);
        close_to(download(at_dx, c.x()), expected_dx, tolerance, when, c);
        close_to(download(at_dw, c.w()), expected_dw, tolerance, when, c);
    };
    // Outputs are NaNs until they are written.
    all(false);
    check(1, "by calls");
    void *graph = nullptr, *executable = nullptr;
    EXPECT(0, call("cuStreamBeginCapture_v2", stream, 1));
    all(true);
    EXPECT(0, call("cuStreamEndCapture", stream, &graph));
    EXPECT(0, call("cuGraphInstantiateWithFlags", &executable, graph, 0ull));
    EXPECT(0, call("cuGraphDestroy", graph));
    check(1, "captured, not run");
    EXPECT(0, call("cuGraphLaunch", executable, stream));
    EXPECT(0, call("cuGraphLaunch", executable, stream));
    EXPECT(0, call("cuGraphExecDestroy", executable));
    check(3, "from a graph");
    for (Address address : {at_x, at_w, at_dy, at_y, at_dx, at_dw, krsc, krsc_gradient}) EXPECT(0, call("cuMemFree_v2", address));
    for (Address address : workspace) {
        if (address) EXPECT(0, call("cuMemFree_v2", address));
    }
}

static void test_transposes() {
    for (auto [rows, columns] : {std::pair{1, 1}, {27, 64}, {31, 33}, {32, 32}, {65, 96}, {7, 200}}) {
        Values x = noise((size_t)rows * columns, 4), expected(x.size());
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) expected[(size_t)j * rows + i] = x[(size_t)i * columns + j];
        }
        Address from = upload(x), to = allocate(x.size());
        EXPECT(0, transpose(from, to, rows, columns, 0));
        EXPECT(1, download(to, x.size()) == expected);
        EXPECT(0, transpose(from, to, rows, columns, 1));
        for (auto& v : expected) v += v;
        EXPECT(1, download(to, x.size()) == expected);
        EXPECT(0, call("cuMemFree_v2", from));
        EXPECT(0, call("cuMemFree_v2", to));
    }
}

static void test_refusals(void* handle) {
    const Conv c{2, 6, 5, 4, 8, 3, 2, 1};
    Descriptors of(handle, c, 3);
    size_t bytes = 0;
    EXPECT(3000, of.workspace(0, &bytes, 6));
    EXPECT(0, of.workspace(1, &bytes));
    Address x = allocate(c.x()), w = allocate(c.w()), y = allocate(c.y()), workspace = allocate(bytes / 4 + 4);
    EXPECT(2006, of.run(1, x, w, y, workspace, bytes - 4, 0));
    EXPECT(2002, of.run(1, x, w, y, 0, bytes, 0));
    EXPECT(2003, of.run(1, x + 4, w, y, workspace, bytes, 0));
    EXPECT(3000, of.run(1, x, w, y, workspace, bytes, 0.5f));
    char message[64];
    call<void>("cudnnGetLastErrorString", message, sizeof message);
    EXPECT(0, strcmp(message, "alpha 1, beta 0.5"));
    EXPECT(0, strcmp(call<const char*>("cudnnGetErrorString", 2003u), "CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER"));
    // The first call of a convolution must not be captured.
    EXPECT(0, call("cuStreamBeginCapture_v2", stream, 1));
    EXPECT(5001, of.run(1, x, w, y, workspace, bytes, 0));
    void* graph = nullptr;
    EXPECT(0, call("cuStreamEndCapture", stream, &graph));
    EXPECT(0, call("cuGraphDestroy", graph));
    // Memory is checked when the work runs.
    expect_failure("a foreign address", "is in no allocation", [&] {
        of.run(1, x, w, y + 4 * c.y(), workspace, bytes, 0);
        call("cuStreamSynchronize", stream);
    });
    expect_failure("a workspace over an operand", "the workspace overlaps the first operand", [&] {
        size_t enough = 0;
        of.workspace(0, &enough);
        of.run(0, x, w, y, x, enough, 0);
        call("cuStreamSynchronize", stream);
    });
    setenv("EMULATION_CUDNN_REFUSES", "strides", 1);
    EXPECT(3000, of.workspace(1, &bytes));
    unsetenv("EMULATION_CUDNN_REFUSES");
    EXPECT(0, call("cudnnSetTensor4dDescriptor", of.x, 1, 0, c.images, c.input, c.height + 2, c.width));
    EXPECT(2008, of.workspace(1, &bytes));
    EXPECT(3004, call("cudnnSetTensor4dDescriptor", of.x, 0, 0, 1, 1, 1, 1));
    EXPECT(2000, call("cudnnSetTensor4dDescriptor", of.w, 1, 0, 1, 1, 1, 1));
    EXPECT(2000, call("cudnnSetTensor4dDescriptor", of.x, 1, 0, 0, 1, 1, 1));
    for (Address address : {x, w, y, workspace}) EXPECT(0, call("cuMemFree_v2", address));
}

int main(int count, char** arguments) {
    if (count < 3) return 2;
    library = dlopen(arguments[2], RTLD_NOW);
    void* handle = nullptr;
    driver = dlopen(arguments[1], RTLD_NOW);
    if (!library || !driver) {
        printf("%s\n", dlerror());
        return 1;
    }
    EXPECT(91002, call<size_t>("cudnnGetVersion"));
    EXPECT(0, call("cuInit", 0u));
    EXPECT(1001, call("cudnnCreate", &handle));
    void* context = nullptr;
    EXPECT(0, call("cuDevicePrimaryCtxRetain", &context, 0));
    EXPECT(0, call("cuCtxSetCurrent", context));
    EXPECT(0, call("cuStreamCreate", &stream, 1u));
    EXPECT(0, call("cuModuleLoadData", &module, (const void*)""));
    EXPECT(0, call("cudnnCreate", &handle));
    EXPECT(2000, call("cudnnSetStream", (void*)&handle, stream));
    EXPECT(0, call("cudnnSetStream", handle, stream));
    for (bool lazy : {false, true}) {
        setenv("EMULATION_LAZY", lazy ? "1" : "0", 1);
        test_transposes();
        for (int math : {3, 0}) {
            test_convolution(handle, {2, 7, 6, 3, 5, 3, 1, 1}, math);
            test_convolution(handle, {1, 9, 8, 3, 8, 7, 2, 3}, math);
            test_convolution(handle, {2, 6, 6, 8, 12, 1, 2, 0}, math);
            test_convolution(handle, {3, 5, 4, 40, 36, 1, 1, 0}, math);
            test_convolution(handle, {2, 8, 8, 4, 4, 3, 2, 1}, math);
        }
        test_refusals(handle);
    }
    EXPECT(0, call("cudnnDestroy", handle));
    EXPECT(2000, call("cudnnDestroy", handle));
    printf(failures ? "%d failures\n" : "the emulated cuDNN works\n", failures);
    return failures != 0;
}
