// Tests of the emulated driver: loads it as cudarc does, and calls it.
//
//   g++ -std=c++20 -O1 driver_tests.cpp -o driver_tests && ./driver_tests FOLDER/libcuda.so [kernels.ptx]
#include <dlfcn.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

typedef unsigned long long Address;
static void* library;
static int failures = 0;

template <class... A>
int call(const char* name, A... arguments) {
    auto function = (int (*)(A...))dlsym(library, name);
    if (!function) {
        printf("no function %s\n", name);
        exit(1);
    }
    return function(arguments...);
}
static void expect(int line, const char* what, long long got, long long want) {
    if (got == want) return;
    printf("line %d: %s is %lld, expected %lld\n", line, what, got, want);
    failures++;
}
#define EXPECT(want, ...) expect(__LINE__, #__VA_ARGS__, (long long)(__VA_ARGS__), want)

struct Gpu {
    void *context = nullptr, *stream = nullptr, *module = nullptr, *fill = nullptr, *axpy = nullptr;

    Address allocate(size_t count) {
        Address address = 0;
        EXPECT(0, call("cuMemAlloc_v2", &address, 4 * count));
        return address;
    }
    int launch_fill(Address y, float value, int count) {
        void* arguments[] = {&y, &value, &count};
        return call("cuLaunchKernel", fill, unsigned(count + 1023) / 1024, 1u, 1u, 256u, 1u, 1u, 0u, stream, (void**)arguments, (void**)nullptr);
    }
    int launch_axpy(Address x, float factor, Address y, int count, int accumulate) {
        void* arguments[] = {&x, &factor, &y, &count, &accumulate};
        return call("cuLaunchKernel", axpy, unsigned(count + 1023) / 1024, 1u, 1u, 256u, 1u, 1u, 0u, stream, (void**)arguments, (void**)nullptr);
    }
    float first(Address y) {
        float value = 0;
        EXPECT(0, call("cuMemcpyDtoHAsync_v2", (void*)&value, y, (size_t)4, stream));
        EXPECT(0, call("cuStreamSynchronize", stream));
        return value;
    }
};

static void* pinned(size_t bytes) {
    void* memory = nullptr;
    EXPECT(0, call("cuMemHostAlloc", &memory, bytes, 0u));
    return memory;
}

static void test_start(Gpu& gpu, const std::string& ptx) {
    int version = 0, count = 0, device = 0, major = 0;
    void* context = nullptr;
    EXPECT(3, call("cuDeviceGetCount", &count));
    EXPECT(0, call("cuInit", 0u));
    EXPECT(0, call("cuDriverGetVersion", &version));
    EXPECT(13000, version);
    EXPECT(0, call("cuDeviceGetCount", &count));
    EXPECT(1, count);
    EXPECT(101, call("cuDeviceGet", &device, 1));
    EXPECT(0, call("cuDeviceGet", &device, 0));
    EXPECT(0, call("cuDeviceGetAttribute", &major, 75, device));
    EXPECT(8, major);
    char name[64];
    EXPECT(0, call("cuDeviceGetName", name, 64, device));
    EXPECT(0, strcmp(name, "emulated GPU"));
    EXPECT(0, call("cuDevicePrimaryCtxRetain", &context, device));
    gpu.context = context;
    Address address = 0;
    EXPECT(201, call("cuMemAlloc_v2", &address, (size_t)4));
    EXPECT(0, call("cuCtxSetCurrent", context));
    EXPECT(400, call("cuStreamSynchronize", (void*)0x1234));
    EXPECT(0, call("cuStreamCreate", &gpu.stream, 1u));
    EXPECT(200, call("cuModuleLoadData", &gpu.module, (const void*)"no PTX"));
    EXPECT(0, call("cuModuleLoadData", &gpu.module, (const void*)ptx.c_str()));
    void* none;
    EXPECT(500, call("cuModuleGetFunction", &none, gpu.module, "no_kernel"));
    EXPECT(0, call("cuModuleGetFunction", &gpu.fill, gpu.module, "fill"));
    EXPECT(0, call("cuModuleGetFunction", &gpu.axpy, gpu.module, "axpy"));
    // The library has all kernels of the PTX, with the same arguments.
    const std::string entry = ".entry ";
    for (size_t at = ptx.find(entry); at != ptx.npos; at = ptx.find(entry, at + 1)) {
        size_t start = at + entry.size();
        EXPECT(0, call("cuModuleGetFunction", &none, gpu.module, ptx.substr(start, ptx.find('(', start) - start).c_str()));
    }
    const char* text = nullptr;
    EXPECT(0, call("cuGetErrorName", 2, &text));
    EXPECT(0, strcmp(text, "CUDA_ERROR_OUT_OF_MEMORY"));
}

static void test_modules(const std::string& ptx) {
    void *module, *function;
    setenv("EMULATION_CAPABILITY", "75", 1);
    EXPECT(209, call("cuModuleLoadData", &module, (const void*)ptx.c_str()));
    unsetenv("EMULATION_CAPABILITY");
    setenv("EMULATION_DRIVER_VERSION", "11080", 1);
    EXPECT(222, call("cuModuleLoadData", &module, (const void*)ptx.c_str()));
    unsetenv("EMULATION_DRIVER_VERSION");
    std::string other = ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry fill(.param .u64 a, .param .f32 b) .maxntid 256, 1, 1 { ret; }";
    EXPECT(0, call("cuModuleLoadData", &module, (const void*)other.c_str()));
    EXPECT(500, call("cuModuleGetFunction", &function, module, "axpy"));
    EXPECT(200, call("cuModuleGetFunction", &function, module, "fill"));  // other arguments than in the source
    EXPECT(0, call("cuModuleUnload", module));
    EXPECT(400, call("cuModuleUnload", module));
}

static void test_memory(Gpu& gpu) {
    size_t left = 0, total = 0;
    EXPECT(0, call("cuMemGetInfo_v2", &left, &total));
    EXPECT(4ll << 30, total);
    EXPECT(4ll << 30, left);
    Address a = gpu.allocate(1000);
    EXPECT(0, call("cuMemGetInfo_v2", &left, &total));
    EXPECT((4ll << 30) - 4096, left);
    EXPECT(true, std::isnan(gpu.first(a)));
    Address large = 0;
    EXPECT(2, call("cuMemAlloc_v2", &large, (size_t)4 << 30));
    EXPECT(1, call("cuMemAlloc_v2", &large, (size_t)0));
    // Takes address space, but little memory
    EXPECT(0, call("cuMemAlloc_v2", &large, ((size_t)3 << 30) + 4));
    EXPECT(true, std::isnan(gpu.first(large + (3ull << 30))));
    EXPECT(true, std::isnan(gpu.first(large + (1ull << 30))));
    EXPECT(0, gpu.launch_fill(large + (1ull << 30), 5, 1));
    EXPECT(5, gpu.first(large + (1ull << 30)));
    EXPECT(true, std::isnan(gpu.first(large + (1ull << 30) + (8ull << 20))));
    EXPECT(0, call("cuMemFree_v2", large));
    EXPECT(1, call("cuMemFree_v2", large));
    std::vector<float> values(1000, 3.0f), back(1000);
    EXPECT(0, call("cuMemcpyHtoD_v2", a, (const void*)values.data(), (size_t)4000));
    EXPECT(1, call("cuMemcpyHtoD_v2", a, (const void*)values.data(), (size_t)4004));
    EXPECT(1, call("cuMemcpyDtoH_v2", (void*)back.data(), a + 4, (size_t)4000));
    EXPECT(0, call("cuMemcpyDtoH_v2", (void*)back.data(), a, (size_t)4000));
    EXPECT(true, back == values);
    EXPECT(0, call("cuMemsetD32Async", a + 4, 0x40000000u, (size_t)2, gpu.stream));
    EXPECT(0, call("cuMemsetD8Async", a + 12, (unsigned char)0, (size_t)4, gpu.stream));
    EXPECT(0, call("cuMemcpyDtoDAsync_v2", a + 16, a, (size_t)16, gpu.stream));
    EXPECT(0, call("cuMemcpyDtoHAsync_v2", (void*)back.data(), a, (size_t)4000, gpu.stream));
    EXPECT(0, call("cuStreamSynchronize", gpu.stream));
    EXPECT(true, back[0] == 3 && back[1] == 2 && back[2] == 2 && back[3] == 0 && back[4] == 3 && back[5] == 2 && back[7] == 0 && back[8] == 3);
    EXPECT(0, call("cuMemFree_v2", a));
    EXPECT(0, call("cuMemGetInfo_v2", &left, &total));
    EXPECT(4ll << 30, left);
    void* host = pinned(100);
    EXPECT(1, call("cuMemFree_v2", (Address)host));
    EXPECT(0, call("cuMemFreeHost", host));
}

static void test_launches(Gpu& gpu) {
    Address x = gpu.allocate(3000), y = gpu.allocate(3000);
    EXPECT(0, gpu.launch_fill(x, 1.5f, 3000));
    EXPECT(0, gpu.launch_axpy(x, 2, y, 3000, 0));
    EXPECT(0, gpu.launch_axpy(x, 2, y, 3000, 1));
    EXPECT(6, gpu.first(y + 4 * 2999));
    void* arguments[] = {&x, nullptr, nullptr};
    EXPECT(1, call("cuLaunchKernel", gpu.fill, 1u, 1u, 1u, 2048u, 1u, 1u, 0u, gpu.stream, (void**)arguments, (void**)nullptr));
    EXPECT(701, call("cuLaunchKernel", gpu.fill, 1u, 1u, 1u, 512u, 1u, 1u, 0u, gpu.stream, (void**)arguments, (void**)nullptr));
    EXPECT(1, call("cuLaunchKernel", gpu.fill, 1u, 65536u, 1u, 256u, 1u, 1u, 0u, gpu.stream, (void**)arguments, (void**)nullptr));
    EXPECT(1, call("cuLaunchKernel", gpu.fill, 0u, 1u, 1u, 256u, 1u, 1u, 0u, gpu.stream, (void**)arguments, (void**)nullptr));
    EXPECT(1, call("cuLaunchKernel", gpu.fill, 1u, 1u, 1u, 256u, 1u, 1u, 0u, gpu.stream, (void**)arguments, (void**)nullptr));
    struct {
        Address y;
        float value;
        int count;
    } buffer{y, 7, 3000};
    size_t bytes = sizeof buffer;
    void* extra[] = {(void*)1, &buffer, (void*)2, &bytes, nullptr};
    EXPECT(0, call("cuLaunchKernel", gpu.fill, 3u, 1u, 1u, 256u, 1u, 1u, 0u, gpu.stream, (void**)nullptr, (void**)extra));
    EXPECT(7, gpu.first(y));
    bytes += 8;
    EXPECT(1, call("cuLaunchKernel", gpu.fill, 3u, 1u, 1u, 256u, 1u, 1u, 0u, gpu.stream, (void**)nullptr, (void**)extra));
    call("cuMemFree_v2", x);
    call("cuMemFree_v2", y);
}

static void test_graphs(Gpu& gpu) {
    Address x = gpu.allocate(1000), y = gpu.allocate(1000);
    void *graph = nullptr, *executable = nullptr, *other = nullptr;
    int status = -1;
    EXPECT(0, gpu.launch_fill(x, 1, 1000));
    EXPECT(0, gpu.launch_fill(y, 0, 1000));
    EXPECT(401, call("cuStreamEndCapture", gpu.stream, &graph));
    EXPECT(0, call("cuStreamBeginCapture_v2", gpu.stream, 1));
    EXPECT(0, call("cuStreamIsCapturing", gpu.stream, &status));
    EXPECT(1, status);
    EXPECT(401, call("cuStreamBeginCapture_v2", gpu.stream, 1));
    EXPECT(0, gpu.launch_axpy(x, 1, y, 1000, 1));
    EXPECT(0, gpu.launch_axpy(x, 1, y, 1000, 1));
    EXPECT(0, call("cuStreamEndCapture", gpu.stream, &graph));
    EXPECT(0, gpu.first(y));  // a capture runs nothing
    size_t nodes = 0;
    EXPECT(0, call("cuGraphGetNodes", graph, (void**)nullptr, &nodes));
    EXPECT(2, nodes);
    EXPECT(0, call("cuGraphInstantiateWithFlags", &executable, graph, 0ull));
    EXPECT(0, call("cuGraphDestroy", graph));
    for (int i = 0; i < 3; i++) EXPECT(0, call("cuGraphLaunch", executable, gpu.stream));
    EXPECT(6, gpu.first(y));
    // An update with other arguments, and one with another topology
    struct {
        int result;
        void *node, *from;
    } update;
    EXPECT(0, call("cuStreamBeginCapture_v2", gpu.stream, 1));
    EXPECT(0, gpu.launch_axpy(x, 10, y, 1000, 1));
    EXPECT(0, gpu.launch_axpy(x, 10, y, 1000, 1));
    EXPECT(0, call("cuStreamEndCapture", gpu.stream, &graph));
    EXPECT(0, call("cuGraphExecUpdate_v2", executable, graph, &update));
    EXPECT(0, call("cuGraphLaunch", executable, gpu.stream));
    EXPECT(26, gpu.first(y));
    EXPECT(0, call("cuGraphDestroy", graph));
    EXPECT(0, call("cuStreamBeginCapture_v2", gpu.stream, 1));
    EXPECT(0, gpu.launch_axpy(x, 10, y, 1000, 1));
    EXPECT(0, call("cuStreamEndCapture", gpu.stream, &graph));
    EXPECT(910, call("cuGraphExecUpdate_v2", executable, graph, &update));
    EXPECT(2, update.result);
    EXPECT(0, call("cuGraphDestroy", graph));
    EXPECT(0, call("cuGraphLaunch", executable, gpu.stream));
    EXPECT(0, call("cuGraphExecDestroy", executable));  // also while the launch waits
    EXPECT(46, gpu.first(y));

    // What a capture forbids fails, and spoils the capture.
    Address address = 0;
    void* memory = nullptr;
    std::vector<float> value(1);
    for (int forbidden = 0; forbidden < 7; forbidden++) {
        EXPECT(0, call("cuStreamBeginCapture_v2", gpu.stream, 1));
        EXPECT(0, gpu.launch_fill(x, 1, 1000));
        switch (forbidden) {
            case 0: EXPECT(900, call("cuMemAlloc_v2", &address, (size_t)4)); break;
            case 1: EXPECT(900, call("cuMemFree_v2", x)); break;
            case 2: EXPECT(900, call("cuStreamSynchronize", gpu.stream)); break;
            case 3: EXPECT(900, call("cuCtxSynchronize")); break;
            case 4: EXPECT(900, call("cuMemHostAlloc", &memory, (size_t)4, 0u)); break;
            case 5: EXPECT(900, call("cuMemcpyDtoH_v2", (void*)value.data(), x, (size_t)4)); break;
            case 6: EXPECT(900, call("cuStreamQuery", gpu.stream)); break;
        }
        EXPECT(901, gpu.launch_fill(x, 1, 1000));
        EXPECT(901, call("cuStreamEndCapture", gpu.stream, &other));
        EXPECT(true, other == nullptr);
    }
    // In thread-local mode, another thread may do what this one may not.
    EXPECT(0, call("cuStreamBeginCapture_v2", gpu.stream, 1));
    std::thread([&] {
        call("cuCtxSetCurrent", gpu.context);
        EXPECT(0, call("cuMemAlloc_v2", &address, (size_t)4));
        EXPECT(0, call("cuMemFree_v2", address));
        EXPECT(908, call("cuStreamEndCapture", gpu.stream, &other));
    }).join();
    EXPECT(0, call("cuStreamEndCapture", gpu.stream, &graph));
    EXPECT(0, call("cuGraphDestroy", graph));

    // A second stream joins the capture through an event, and must be joined again.
    void *second = nullptr, *fork = nullptr, *join = nullptr, *const first = gpu.stream;
    EXPECT(0, call("cuStreamCreate", &second, 1u));
    EXPECT(0, call("cuEventCreate", &fork, 2u));
    EXPECT(0, call("cuEventCreate", &join, 2u));
    for (bool joined : {true, false}) {
        EXPECT(0, call("cuStreamBeginCapture_v2", first, 1));
        EXPECT(0, call("cuEventRecord", fork, first));
        EXPECT(907, call("cuEventSynchronize", fork));
        EXPECT(0, call("cuStreamWaitEvent", second, fork, 0u));
        gpu.stream = second;
        EXPECT(0, gpu.launch_fill(y, 9, 1000));
        if (!joined) EXPECT(903, call("cuStreamEndCapture", second, &other));
        gpu.stream = first;
        if (joined) {
            EXPECT(0, call("cuEventRecord", join, second));
            EXPECT(0, call("cuStreamWaitEvent", first, join, 0u));
            EXPECT(0, call("cuStreamEndCapture", first, &graph));
            EXPECT(0, call("cuGraphDestroy", graph));
        } else {
            EXPECT(901, call("cuStreamEndCapture", first, &graph));
        }
    }
    EXPECT(0, call("cuStreamBeginCapture_v2", first, 1));
    EXPECT(0, call("cuEventRecord", fork, first));
    EXPECT(0, call("cuStreamWaitEvent", second, fork, 0u));
    gpu.stream = second;
    EXPECT(0, gpu.launch_fill(y, 9, 1000));
    gpu.stream = first;
    EXPECT(904, call("cuStreamEndCapture", first, &graph));
    // The legacy stream and blocking streams
    void* blocking = nullptr;
    EXPECT(0, call("cuStreamCreate", &blocking, 0u));
    EXPECT(900, call("cuStreamBeginCapture_v2", (void*)nullptr, 1));
    EXPECT(0, call("cuStreamBeginCapture_v2", blocking, 1));
    EXPECT(906, call("cuMemcpyDtoH_v2", (void*)value.data(), x, (size_t)4));
    EXPECT(901, call("cuStreamEndCapture", blocking, &graph));
    // An event from outside of the capture
    EXPECT(0, call("cuEventRecord", fork, second));
    EXPECT(0, call("cuStreamBeginCapture_v2", first, 1));
    EXPECT(905, call("cuStreamWaitEvent", first, fork, 0u));
    EXPECT(901, call("cuStreamEndCapture", first, &graph));
    for (void* stream : {second, blocking}) EXPECT(0, call("cuStreamDestroy_v2", stream));
    for (void* event : {fork, join}) EXPECT(0, call("cuEventDestroy_v2", event));
    call("cuMemFree_v2", x);
    call("cuMemFree_v2", y);
}

// With EMULATION_LAZY, work waits in its stream; without, it is done at once.
static void test_order(Gpu& gpu, bool lazy) {
    Address x = gpu.allocate(100), y = gpu.allocate(100);
    auto* host = (float*)pinned(4);
    auto* back = (float*)pinned(4);
    void *second = nullptr, *start = nullptr, *end = nullptr;
    EXPECT(0, call("cuStreamCreate", &second, 1u));
    EXPECT(0, call("cuEventCreate", &start, 0u));
    EXPECT(0, call("cuEventCreate", &end, 0u));
    // Pinned memory is read when the copy runs: changing it too early shows.
    *host = 1;
    EXPECT(0, call("cuMemcpyHtoDAsync_v2", x, (const void*)host, (size_t)4, gpu.stream));
    *host = 2;
    EXPECT(lazy ? 2 : 1, gpu.first(x));
    // Other memory is read before the call returns.
    float value = 3;
    EXPECT(0, call("cuMemcpyHtoDAsync_v2", x, (const void*)&value, (size_t)4, gpu.stream));
    value = 4;
    EXPECT(3, gpu.first(x));
    *back = 0;
    EXPECT(0, call("cuEventRecord", start, gpu.stream));
    EXPECT(0, gpu.launch_fill(y, 8, 100));
    EXPECT(0, call("cuMemcpyDtoHAsync_v2", (void*)back, y, (size_t)4, gpu.stream));
    EXPECT(0, call("cuEventRecord", end, gpu.stream));
    EXPECT(lazy ? 0 : 8, *back);
    float milliseconds = -1;
    EXPECT(lazy ? 600 : 0, call("cuEventElapsedTime", &milliseconds, start, end));
    EXPECT(lazy ? 600 : 0, call("cuEventQuery", end));
    EXPECT(0, call("cuEventQuery", end));
    EXPECT(8, *back);
    EXPECT(0, call("cuEventElapsedTime", &milliseconds, start, end));
    EXPECT(true, milliseconds >= 0);
    // Another stream waits for the event.
    EXPECT(0, gpu.launch_fill(y, 9, 100));
    EXPECT(0, call("cuEventRecord", end, gpu.stream));
    EXPECT(0, gpu.launch_fill(y, 10, 100));
    EXPECT(0, call("cuStreamWaitEvent", second, end, 0u));
    EXPECT(0, call("cuMemcpyDtoHAsync_v2", (void*)back, y, (size_t)4, second));
    EXPECT(0, call("cuStreamSynchronize", second));
    EXPECT(lazy ? 9 : 10, *back);
    EXPECT(10, gpu.first(y));
    // Without the event, the copy overtakes the kernel.
    EXPECT(0, gpu.launch_fill(y, 11, 100));
    EXPECT(0, call("cuMemcpyDtoHAsync_v2", (void*)back, y, (size_t)4, second));
    EXPECT(0, call("cuStreamSynchronize", second));
    EXPECT(lazy ? 10 : 11, *back);
    // A queue has its limit.
    EXPECT(0, call("cuStreamSynchronize", gpu.stream));
    EXPECT(0, call("cuStreamQuery", gpu.stream));
    for (int i = 0; i < 9999; i++) call("cuEventRecord", start, gpu.stream);
    EXPECT(0, call("cuMemcpyDtoHAsync_v2", (void*)back, y, (size_t)4, gpu.stream));
    EXPECT(11, *back);
    for (void* event : {start, end}) EXPECT(0, call("cuEventDestroy_v2", event));
    EXPECT(0, call("cuStreamDestroy_v2", second));
    EXPECT(0, call("cuMemFreeHost", (void*)host));
    EXPECT(0, call("cuMemFreeHost", (void*)back));
    call("cuMemFree_v2", x);
    call("cuMemFree_v2", y);
}

int main(int count, char** arguments) {
    if (count < 2) return 2;
    library = dlopen(arguments[1], RTLD_NOW);
    if (!library) {
        printf("%s\n", dlerror());
        return 1;
    }
    std::string ptx;
    if (count > 2) {
        std::stringstream text;
        text << std::ifstream(arguments[2]).rdbuf();
        ptx = text.str();
    } else {
        ptx = ".version 8.0\n.target sm_80\n.address_size 64\n"
              ".visible .entry fill(.param .u64 a, .param .f32 b, .param .u32 c)\n.maxntid 256, 1, 1\n{ ret; }\n"
              ".visible .entry axpy(.param .u64 a, .param .f32 b, .param .u64 c, .param .u32 d, .param .u32 e)\n.maxntid 256, 1, 1\n{ ret; }\n";
    }
    Gpu gpu;
    test_start(gpu, ptx);
    test_modules(ptx);
    for (bool lazy : {false, true}) {
        setenv("EMULATION_LAZY", lazy ? "1" : "0", 1);
        test_memory(gpu);
        test_launches(gpu);
        test_graphs(gpu);
        test_order(gpu, lazy);
    }
    EXPECT(0, call("cuModuleUnload", gpu.module));
    EXPECT(0, call("cuStreamDestroy_v2", gpu.stream));
    printf(failures ? "%d failures\n" : "the emulated driver is right\n", failures);
    return failures ? 1 : 0;
}
