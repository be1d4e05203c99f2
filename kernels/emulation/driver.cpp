// A CUDA driver without a GPU: libcuda.so.1 with the functions that cudarc's driver module binds. Memory is the host's, and kernels are
// those compiled beside it with emulation.h.
//
//   g++ -std=c++20 -O2 -ffp-contract=off -mfma -fPIC -fvisibility=hidden -shared -Wl,-soname,libcuda.so.1 driver.cpp -o libcuda.so
//
// With warnings, add -Wno-unknown-pragmas for nvcc's #pragma unroll. -fsanitize=address works if libasan is loaded first (LD_PRELOAD).
//
// cudarc looks for libcuda.so first and for libcuda.so.1 last; a folder in LD_LIBRARY_PATH should have both names. It looks up each function
// at its first call, so functions that are not here are a panic of that call only.
//
// Environment, besides emulation.h's:
//   EMULATION_DEVICES         number of devices (1)
//   EMULATION_MEMORY          bytes of each device (4 GiB); more is "out of memory"
//   EMULATION_DRIVER_VERSION  what cuDriverGetVersion says (13000); newer PTX is refused
//   EMULATION_CAPABILITY      compute capability times ten (80); PTX for newer ones is refused
//   EMULATION_LAZY            1: work waits in its stream until something waits for it, or until 10,000 entries wait
//   EMULATION_TRACE           1: prints each kernel that runs, its launch and its time
#include <chrono>
#include <deque>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "../kernels.cu"

namespace {

enum Result {
    success = 0,
    invalid_value = 1,
    out_of_memory = 2,
    not_initialized = 3,
    no_device = 100,
    invalid_device = 101,
    invalid_image = 200,
    invalid_context = 201,
    no_binary_for_gpu = 209,
    unsupported_ptx_version = 222,
    invalid_handle = 400,
    illegal_state = 401,
    not_found = 500,
    not_ready = 600,
    launch_out_of_resources = 701,
    not_supported = 801,
    capture_unsupported = 900,
    capture_invalidated = 901,
    capture_merge = 902,
    capture_unmatched = 903,
    capture_unjoined = 904,
    capture_isolation = 905,
    capture_implicit = 906,
    captured_event = 907,
    capture_wrong_thread = 908,
    graph_update_failure = 910,
};
struct Meaning {
    int code;
    const char *name, *text;
};
const Meaning meanings[] = {
    {success, "CUDA_SUCCESS", "no error"},
    {invalid_value, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {out_of_memory, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {not_initialized, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {no_device, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {invalid_device, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {invalid_image, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {invalid_context, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {no_binary_for_gpu, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
    {unsupported_ptx_version, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the provided PTX was compiled with an unsupported toolchain."},
    {invalid_handle, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {illegal_state, "CUDA_ERROR_ILLEGAL_STATE", "the operation cannot be performed in the present state"},
    {not_found, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {not_ready, "CUDA_ERROR_NOT_READY", "device not ready"},
    {launch_out_of_resources, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
    {not_supported, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {capture_unsupported, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
    {capture_invalidated, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "operation failed due to a previous error during capture"},
    {capture_merge, "CUDA_ERROR_STREAM_CAPTURE_MERGE", "operation would result in a merge of separate capture sequences"},
    {capture_unmatched, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "capture was not ended in the same stream as it began"},
    {capture_unjoined, "CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "capturing stream has unjoined work"},
    {capture_isolation, "CUDA_ERROR_STREAM_CAPTURE_ISOLATION", "dependency created on uncaptured work in another stream"},
    {capture_implicit, "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT",
     "operation would make the legacy stream depend on a capturing blocking stream"},
    {captured_event, "CUDA_ERROR_CAPTURED_EVENT", "operation not permitted on an event last recorded in a capturing stream"},
    {capture_wrong_thread, "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD",
     "attempt to terminate a thread-local capture sequence from another thread"},
    {graph_update_failure, "CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE",
     "the graph update was not performed because it included changes which violated constraints specific to instantiated graph update"},
};

typedef unsigned long long Address;  // CUdeviceptr

// ---- Settings ----

unsigned long long setting(const char* name, unsigned long long otherwise) {
    const char* text = getenv(name);
    if (!text || !*text) return otherwise;
    char* end;
    unsigned long long value = strtoull(text, &end, 10);
    if (*end) {
        fprintf(stderr, "%s=%s: expected a number\n", name, text);
        abort();
    }
    return value;
}

// ---- State, all under one lock ----

std::recursive_mutex lock;
typedef std::lock_guard<std::recursive_mutex> Locked;

struct Context {
    int device = 0;
    unsigned users = 0;
    size_t used = 0;  // bytes
};
struct Allocation {
    size_t bytes;
    Context* context;  // null for pinned memory of the host
    unsigned char* start;  // of the memory that the host's allocator gave
    size_t mapped;         // bytes of mappings; 0 for memory of malloc
};

struct Node {
    enum Kind { kernel, copy, fill, host, graph, event, wait } kind;
    std::function<void()> run;
};
struct Graph {
    std::vector<Node> nodes;
};
struct Stream;
struct Capture {
    Stream* origin;
    int mode;
    std::thread::id thread;
    bool invalidated = false;
    Graph graph;
    std::map<Stream*, std::pair<size_t, size_t>> branches;  // other streams: nodes so far, nodes that a wait has joined
};
struct Stream {
    Context* context;
    bool blocking;  // waits for the legacy stream, and it for this one
    std::deque<Node> queue;
    unsigned long long enqueued = 0, done = 0;
    std::shared_ptr<Capture> capture;
};
struct Event {
    bool timed;
    std::shared_ptr<Stream> stream;  // null before the first record
    unsigned long long sequence = 0;
    std::shared_ptr<double> seconds;
    std::shared_ptr<Capture> capture;
    Stream* branch = nullptr;
    size_t branch_nodes = 0;
};
struct Entry {
    std::vector<size_t> arguments;
    unsigned threads;  // most threads of a block
};
struct Module {
    bool text = false;
    std::map<std::string, Entry> entries;
};
struct Function {
    Module* module;
    const emulation::Kernel* kernel;
    unsigned threads;
};
struct Executable {
    std::shared_ptr<Graph> graph;
};

struct State {
    bool initialized = false;
    std::vector<std::unique_ptr<Context>> contexts;
    std::map<Address, Allocation> allocations;
    std::map<Stream*, std::shared_ptr<Stream>> streams;
    std::map<Context*, std::shared_ptr<Stream>> legacy;
    std::map<Event*, std::unique_ptr<Event>> events;
    std::map<Module*, std::unique_ptr<Module>> modules;
    std::map<Function*, std::unique_ptr<Function>> functions;
    std::map<Graph*, std::unique_ptr<Graph>> graphs;
    std::map<Executable*, std::unique_ptr<Executable>> executables;
    std::set<std::shared_ptr<Capture>> captures;
};
State& state() {
    static State* all = new State;  // never destroyed: other libraries may call at exit
    return *all;
}
thread_local std::vector<Context*> current_contexts;
thread_local int capture_mode = 0;

Context* current() { return current_contexts.empty() ? nullptr : current_contexts.back(); }

// Every function but the first ones needs a context.
int ready() {
    if (!state().initialized) return not_initialized;
    return current() ? success : invalid_context;
}
#define READY() \
    Locked locked(lock); \
    if (int error = ready()) return error

template <class T>
T* find(std::map<T*, std::unique_ptr<T>>& all, void* handle) {
    auto at = all.find((T*)handle);
    return at == all.end() ? nullptr : at->second.get();
}

// ---- Memory ----

constexpr size_t fence = 256;  // bytes before and after an allocation that must stay as they are
constexpr unsigned char fence_byte = 0x5a;
constexpr size_t piece = size_t(8) << 20;
#if defined(__SANITIZE_ADDRESS__)
constexpr bool fenced = false;  // AddressSanitizer's red zones see more
#else
constexpr bool fenced = true;
#endif

// Memory full of NaNs that takes no memory until it is written: the same file is mapped again and again, and copied on write.
unsigned char* map_nans(size_t bytes) {
    static int file = -1;
    if (file < 0) {
        file = memfd_create("nans", MFD_CLOEXEC);
        std::vector<unsigned char> nans(piece, 0xff);
        if (file < 0 || write(file, nans.data(), piece) != (ssize_t)piece) return nullptr;
    }
    auto* start = (unsigned char*)mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return nullptr;
    for (size_t at = 0; at < bytes; at += piece) {
        void* part = mmap(start + at, std::min(piece, bytes - at), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file, 0);
        if (part == MAP_FAILED) {
            munmap(start, bytes);
            return nullptr;
        }
    }
    return start;
}

int allocate(void** pointer, size_t bytes, Context* context) {
    if (!pointer || bytes == 0) return invalid_value;
    size_t total = (bytes + 511) / 512 * 512;
    if (context && (total > setting("EMULATION_MEMORY", 4ull << 30) || context->used > setting("EMULATION_MEMORY", 4ull << 30) - total)) return out_of_memory;
    Allocation allocation{bytes, context, nullptr, 0};
    size_t before = fenced ? fence : 0, whole = bytes + 2 * before;
    if (fenced && whole > 8 * piece) {
        allocation.mapped = (whole + 4095) / 4096 * 4096;
        allocation.start = map_nans(allocation.mapped);
        if (!allocation.start) return out_of_memory;
    } else {
        void* start;
        if (posix_memalign(&start, 512, whole) != 0) return out_of_memory;
        allocation.start = (unsigned char*)start;
        memset(allocation.start + before, 0xff, bytes);  // NaNs
    }
    memset(allocation.start, fence_byte, before);
    memset(allocation.start + before + bytes, fence_byte, before);
    if (context) context->used += total;
    *pointer = allocation.start + before;
    state().allocations[(Address)*pointer] = allocation;
    return success;
}

void check_fences(Address address, const Allocation& allocation) {
    if (!fenced) return;
    for (size_t i = 0; i < fence; i++) {
        bool before = allocation.start[i] != fence_byte, after = allocation.start[fence + allocation.bytes + i] != fence_byte;
        if (!before && !after) continue;
        fprintf(stderr, "emulation: a write %s the allocation of %zu bytes at %#llx\n", before ? "before" : "after", allocation.bytes, address);
        abort();
    }
}
void check_all_fences() {
    for (auto& [address, allocation] : state().allocations) check_fences(address, allocation);
}

int release(Address address, bool pinned) {
    auto at = state().allocations.find(address);
    if (at == state().allocations.end() || !at->second.context != pinned) return invalid_value;
    Allocation allocation = at->second;
    check_fences(address, allocation);
    if (allocation.context) allocation.context->used -= (allocation.bytes + 511) / 512 * 512;
    state().allocations.erase(at);
    if (allocation.mapped) munmap(allocation.start, allocation.mapped);
    else free(allocation.start);
    return success;
}

// The allocation that holds an address, or null.
const Allocation* allocation_of(Address address, Address* start = nullptr) {
    auto at = state().allocations.upper_bound(address);
    if (at == state().allocations.begin()) return nullptr;
    --at;
    if (start) *start = at->first;
    return address - at->first < at->second.bytes ? &at->second : nullptr;
}
bool inside(Address address, size_t bytes) {
    Address start;
    const Allocation* allocation = allocation_of(address, &start);
    return allocation && bytes <= allocation->bytes - (address - start);
}
bool pinned(const void* memory) {
    const Allocation* allocation = allocation_of((Address)memory);
    return allocation && !allocation->context;
}

// ---- Streams ----

std::shared_ptr<Stream> stream_of(void* handle) {
    if (handle == nullptr || handle == (void*)1) {  // the legacy stream
        auto& stream = state().legacy[current()];
        if (!stream) stream = std::make_shared<Stream>(Stream{current(), true, {}, 0, 0, nullptr});
        return stream;
    }
    auto at = state().streams.find((Stream*)handle);
    return at == state().streams.end() ? nullptr : at->second;
}
bool is_legacy(const Stream& stream) {
    auto at = state().legacy.find(stream.context);
    return at != state().legacy.end() && at->second.get() == &stream;
}

// Runs a stream's work up to an entry.
void run_until(Stream& stream, unsigned long long sequence) {
    while (stream.done < sequence) {
        Node node = std::move(stream.queue.front());
        stream.queue.pop_front();
        node.run();
        stream.done++;
    }
}
void finish(Stream& stream) { run_until(stream, stream.enqueued); }
void finish_all(Context* context) {
    for (auto& [handle, stream] : state().streams) {
        if (stream->context == context) finish(*stream);
    }
    auto at = state().legacy.find(context);
    if (at != state().legacy.end()) finish(*at->second);
    check_all_fences();
}

void invalidate(Capture& capture) { capture.invalidated = true; }

// Calls that may wait, or change memory, are not allowed while this thread captures, or another one captures in global mode.
int prohibited() {
    int error = success;
    if (capture_mode == 2) return success;
    for (auto& capture : state().captures) {
        bool own = capture->thread == std::this_thread::get_id();
        if (own ? capture->mode == 2 : (capture_mode == 1 || capture->mode != 0)) continue;
        invalidate(*capture);
        error = capture_unsupported;
    }
    return error;
}

// The legacy stream would wait for a blocking stream that captures.
int implicit_dependency(const Context* context) {
    int error = success;
    for (auto& [handle, stream] : state().streams) {
        if (stream->context != context || !stream->blocking || !stream->capture) continue;
        invalidate(*stream->capture);
        error = capture_implicit;
    }
    return error;
}

int enqueue(Stream& stream, Node node) {
    if (stream.capture) {
        Capture& capture = *stream.capture;
        if (capture.invalidated) return capture_invalidated;
        if (node.kind != Node::event && node.kind != Node::wait) {
            capture.graph.nodes.push_back(std::move(node));
            if (&stream != capture.origin) capture.branches[&stream].first++;
        }
        return success;
    }
    if (is_legacy(stream)) {
        if (int error = implicit_dependency(stream.context)) return error;
        for (auto& [handle, other] : state().streams) {
            if (other->context == stream.context && other->blocking) finish(*other);
        }
    } else if (stream.blocking) {
        auto at = state().legacy.find(stream.context);
        if (at != state().legacy.end()) finish(*at->second);
    }
    stream.queue.push_back(std::move(node));
    stream.enqueued++;
    if (setting("EMULATION_LAZY", 0) == 0 || stream.queue.size() >= 10000) finish(stream);
    return success;
}

// Work that the caller waits for: it goes through the legacy stream.
int run_now(Node node) {
    if (int error = implicit_dependency(current())) return error;
    if (int error = prohibited()) return error;
    auto stream = stream_of(nullptr);
    if (int error = enqueue(*stream, std::move(node))) return error;
    finish(*stream);
    check_all_fences();
    return success;
}

int copy_to_device(Node& node, Address to, const void* from, size_t bytes, bool staged) {
    if (!inside(to, bytes) || !from) return invalid_value;
    // From memory that is not pinned, the driver copies to a buffer of its own before it returns.
    if (staged && !pinned(from)) {
        auto copy = std::make_shared<std::vector<unsigned char>>((const unsigned char*)from, (const unsigned char*)from + bytes);
        node = {Node::copy, [=] { memcpy((void*)to, copy->data(), bytes); }};
    } else {
        node = {Node::copy, [=] { memcpy((void*)to, from, bytes); }};
    }
    return success;
}
int copy_to_host(Node& node, void* to, Address from, size_t bytes) {
    if (!inside(from, bytes) || !to) return invalid_value;
    node = {Node::copy, [=] { memcpy(to, (const void*)from, bytes); }};
    return success;
}
int copy_on_device(Node& node, Address to, Address from, size_t bytes) {
    if (!inside(to, bytes) || !inside(from, bytes)) return invalid_value;
    node = {Node::copy, [=] { memmove((void*)to, (const void*)from, bytes); }};
    return success;
}
int fill(Node& node, Address to, unsigned value, unsigned width, size_t count) {
    if (to % width || !inside(to, count * width)) return invalid_value;
    node = {Node::fill, [=] {
                if (width == 1) memset((void*)to, (int)value, count);
                else for (size_t i = 0; i < count; i++) memcpy((char*)to + i * width, &value, width);
            }};
    return success;
}

// ---- Modules ----

// The arguments' sizes of ".param .align 4 .b8 name[24], .param .u64 other"
std::vector<size_t> argument_sizes(const std::string& text) {
    std::vector<size_t> sizes;
    std::istringstream list(text);
    std::string parameter, word;
    while (std::getline(list, parameter, ',')) {
        size_t bytes = 0;
        std::istringstream words(parameter);
        while (words >> word) {
            if (word.size() < 3 || word[0] != '.' || !strchr("usfb", word[1]) || word.find_first_not_of("0123456789", 2) != word.npos) continue;
            bytes = std::stoul(word.substr(2)) / 8;
        }
        size_t bracket = parameter.find('[');
        if (bracket != parameter.npos) bytes *= std::stoul(parameter.substr(bracket + 1));
        if (bytes) sizes.push_back(bytes);
    }
    return sizes;
}

// The newest PTX version that a driver knows, times ten.
unsigned newest_ptx(unsigned driver) {
    const std::pair<unsigned, unsigned> versions[] = {{13000, 90}, {12090, 88}, {12080, 87}, {12050, 85}, {12040, 84},
                                                      {12030, 83}, {12020, 82}, {12010, 81}, {12000, 80}, {11080, 78}};
    for (auto [from, ptx] : versions) {
        if (driver >= from) return driver >= 13000 ? 90 + (driver - 13000) / 10 : ptx;
    }
    return 75;
}

int load(Module& module, const char* image) {
    // An empty text stands for all kernels that this library has.
    if (!image) return invalid_value;
    if (!*image) return success;
    module.text = true;
    // Comments go first, so that no words in them are found.
    std::string text;
    for (const char* c = image; *c; c++) {
        if (c[0] == '/' && c[1] == '/') {
            while (*c && *c != '\n') c++;
        } else if (c[0] == '/' && c[1] == '*') {
            while (*c && !(c[0] == '*' && c[1] == '/')) c++;
            if (*c) c++;
        }
        if (!*c) break;
        text += *c;
    }
    unsigned major = 0, minor = 0, capability = 0;
    char suffix[8] = "";
    size_t start = text.find_first_not_of(" \t\r\n"), target = text.find(".target");
    if (start == text.npos || target == text.npos || sscanf(text.c_str() + start, ".version %u.%u", &major, &minor) != 2 ||
        sscanf(text.c_str() + target, ".target sm_%u%7[a-z]", &capability, suffix) < 1 || text.find(".address_size 64") == text.npos) {
        fprintf(stderr, "emulation: a module that is not PTX\n");
        return invalid_image;
    }
    if (major * 10 + minor > newest_ptx((unsigned)setting("EMULATION_DRIVER_VERSION", 13000))) return unsupported_ptx_version;
    if (capability > setting("EMULATION_CAPABILITY", 80)) return no_binary_for_gpu;
    for (size_t at = text.find(".entry"); at != text.npos; at = text.find(".entry", at + 1)) {
        size_t name = text.find_first_not_of(" \t\r\n", at + 6), name_end = text.find_first_of("( \t\r\n{", name), body = text.find('{', at);
        if (name == text.npos || name_end == text.npos || body == text.npos) return invalid_image;
        size_t open = text.find('(', at), close = text.find(')', at);
        Entry entry{{}, 1024};
        if (open < body && close < body) entry.arguments = argument_sizes(text.substr(open + 1, close - open - 1));
        size_t limit = text.find(".maxntid", at);
        if (limit < body) entry.threads = (unsigned)std::stoul(text.substr(limit + 8));
        module.entries[text.substr(name, name_end - name)] = entry;
    }
    return success;
}

int get_function(Function** function, Module& module, const char* name) {
    auto known = emulation::kernels().find(name);
    unsigned threads = 256;  // KERNEL's launch bound
    if (module.text) {
        auto at = module.entries.find(name);
        if (at == module.entries.end()) return not_found;
        threads = at->second.threads;
        if (known == emulation::kernels().end()) {
            fprintf(stderr, "emulation: %s is in the PTX, but not compiled into this library\n", name);
            return not_found;
        }
        std::vector<size_t> sizes;
        for (auto& argument : known->second.arguments) sizes.push_back(argument.bytes);
        if (sizes != at->second.arguments) {
            fprintf(stderr, "emulation: the PTX's %s has other arguments than this library's: it is of another source\n", name);
            return invalid_image;
        }
    } else if (known == emulation::kernels().end()) {
        return not_found;
    }
    auto fresh = std::make_unique<Function>(Function{&module, &known->second, threads});
    *function = fresh.get();
    state().functions[*function] = std::move(fresh);
    return success;
}

// ---- Launches ----

struct Launch {
    const emulation::Kernel* kernel;
    dim3 grid, block;
    std::vector<std::vector<unsigned char>> arguments;

    void run() {
        std::vector<void*> pointers;
        for (size_t i = 0; i < arguments.size(); i++) {
            pointers.push_back(arguments[i].data());
            if (!kernel->arguments[i].pointer) continue;
            Address address;
            memcpy(&address, arguments[i].data(), sizeof address);
            if (address == 0 || allocation_of(address)) continue;
            fprintf(stderr, "emulation: argument %zu of kernel %s, %#llx, is in no allocation\n", i, kernel->name, address);
            abort();
        }
        auto start = std::chrono::steady_clock::now();
        emulation::launch(*kernel, grid, block, pointers.data());
        if (setting("EMULATION_TRACE", 0) == 0) return;
        double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
        fprintf(stderr, "emulation: %-32s grid (%u, %u, %u), block (%u, %u, %u): %.3f ms\n", kernel->name, grid.x, grid.y, grid.z, block.x, block.y,
                block.z, ms);
    }
};

int launch(Function& function, dim3 grid, dim3 block, size_t shared_bytes, Stream& stream, void** parameters, void** extra) {
    bool fits = grid.x && grid.y && grid.z && block.x && block.y && block.z && grid.x <= 0x7fffffff && grid.y <= 65535 && grid.z <= 65535 &&
                block.x <= 1024 && block.y <= 1024 && block.z <= 64 && (unsigned long long)block.x * block.y * block.z <= 1024;
    if (!fits || shared_bytes != 0) {  // no kernel has dynamic shared memory
        fprintf(stderr, "emulation: launch of %s with grid (%u, %u, %u), block (%u, %u, %u), %zu bytes of shared memory\n", function.kernel->name, grid.x,
                grid.y, grid.z, block.x, block.y, block.z, shared_bytes);
        return invalid_value;
    }
    if (block.x * block.y * block.z > function.threads) return launch_out_of_resources;
    auto work = std::make_shared<Launch>(Launch{function.kernel, grid, block, {}});
    auto& arguments = function.kernel->arguments;
    if (parameters && extra) return invalid_value;
    if (!parameters && !arguments.empty()) {
        // One buffer, with the arguments at their natural alignment. Only here the count is visible: all of the buffer must be used.
        const unsigned char* buffer = nullptr;
        size_t bytes = 0, at = 0;
        for (void** option = extra; option && *option; option += 2) {
            if (*option == (void*)1) buffer = (const unsigned char*)option[1];
            else if (*option == (void*)2) bytes = *(size_t*)option[1];
            else return invalid_value;
        }
        if (!buffer) return invalid_value;
        for (auto& argument : arguments) {
            size_t alignment = argument.bytes % 8 == 0 ? 8 : 4;
            at = (at + alignment - 1) / alignment * alignment;
            if (at + argument.bytes > bytes) return invalid_value;
            work->arguments.emplace_back(buffer + at, buffer + at + argument.bytes);
            at += argument.bytes;
        }
        if (at != bytes) return invalid_value;
    } else {
        // The driver cannot see how many there are, either. Under AddressSanitizer, reading beyond the caller's array is an error.
        for (size_t i = 0; i < arguments.size(); i++) {
            if (!parameters[i]) return invalid_value;
            auto* value = (const unsigned char*)parameters[i];
            work->arguments.emplace_back(value, value + arguments[i].bytes);
        }
    }
    return enqueue(stream, {Node::kernel, [work] { work->run(); }});
}

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

// ---- The driver's functions ----

#define API extern "C" __attribute__((visibility("default"))) int

API cuGetErrorName(int error, const char** text) {
    if (!text) return invalid_value;
    for (auto& meaning : meanings) {
        if (meaning.code != error) continue;
        *text = meaning.name;
        return success;
    }
    *text = nullptr;
    return invalid_value;
}
API cuGetErrorString(int error, const char** text) {
    if (!text) return invalid_value;
    for (auto& meaning : meanings) {
        if (meaning.code != error) continue;
        *text = meaning.text;
        return success;
    }
    *text = nullptr;
    return invalid_value;
}

// Devices and contexts

API cuInit(unsigned flags) {
    Locked locked(lock);
    if (flags) return invalid_value;
    size_t devices = setting("EMULATION_DEVICES", 1);
    if (devices == 0) return no_device;
    auto& all = state();
    while (all.contexts.size() < devices) {
        all.contexts.push_back(std::make_unique<Context>());
        all.contexts.back()->device = (int)all.contexts.size() - 1;
    }
    all.initialized = true;
    return success;
}
API cuDriverGetVersion(int* version) {
    if (!version) return invalid_value;
    *version = (int)setting("EMULATION_DRIVER_VERSION", 13000);
    return success;
}
static int check_device(int device) {
    if (!state().initialized) return not_initialized;
    return device >= 0 && (size_t)device < state().contexts.size() ? success : invalid_device;
}
API cuDeviceGetCount(int* count) {
    Locked locked(lock);
    if (!state().initialized) return not_initialized;
    *count = (int)state().contexts.size();
    return success;
}
API cuDeviceGet(int* device, int ordinal) {
    Locked locked(lock);
    if (int error = check_device(ordinal)) return error;
    *device = ordinal;
    return success;
}
API cuDeviceGetName(char* name, int bytes, int device) {
    Locked locked(lock);
    if (int error = check_device(device)) return error;
    if (!name || bytes <= 0) return invalid_value;
    snprintf(name, (size_t)bytes, "emulated GPU");
    return success;
}
API cuDeviceGetUuid(unsigned char* uuid, int device) {
    Locked locked(lock);
    if (int error = check_device(device)) return error;
    memset(uuid, 0, 16);
    uuid[15] = (unsigned char)device;
    return success;
}
API cuDeviceGetUuid_v2(unsigned char* uuid, int device) { return cuDeviceGetUuid(uuid, device); }
API cuDeviceTotalMem_v2(size_t* bytes, int device) {
    Locked locked(lock);
    if (int error = check_device(device)) return error;
    *bytes = setting("EMULATION_MEMORY", 4ull << 30);
    return success;
}
API cuDeviceGetAttribute(int* value, int attribute, int device) {
    Locked locked(lock);
    if (int error = check_device(device)) return error;
    static const std::map<int, int> values = {
        {1, 1024},                              // threads of a block
        {2, 1024}, {3, 1024}, {4, 64},          // block
        {5, 0x7fffffff}, {6, 65535}, {7, 65535},  // grid
        {8, 48 * 1024}, {9, 64 * 1024}, {10, 32}, {12, 65536}, {13, 1000000},  // shared and constant memory, warp, registers, kHz
        {16, 8}, {17, 0}, {18, 0}, {19, 1}, {20, 0}, {31, 1}, {32, 0}, {35, 0},  // multiprocessors, no time limit, not integrated
        {36, 1000000}, {37, 256}, {38, 4 << 20}, {39, 2048}, {40, 2}, {41, 1},  // memory clock and bus, L2, threads of a multiprocessor
        {33, 0}, {34, 0}, {50, 0}, {78, 1}, {81, 164 * 1024}, {82, 65536}, {83, 0}, {97, 163 * 1024}, {106, 32}, {111, 1024}, {115, 0},
    };
    int capability = (int)setting("EMULATION_CAPABILITY", 80);
    if (attribute == 75) *value = capability / 10;
    else if (attribute == 76) *value = capability % 10;
    else if (values.count(attribute)) *value = values.at(attribute);
    else return invalid_value;
    return success;
}
API cuDevicePrimaryCtxRetain(void** context, int device) {
    Locked locked(lock);
    if (int error = check_device(device)) return error;
    *context = state().contexts[(size_t)device].get();
    state().contexts[(size_t)device]->users++;
    return success;
}
API cuDevicePrimaryCtxRelease_v2(int device) {
    Locked locked(lock);
    if (int error = check_device(device)) return error;
    Context& context = *state().contexts[(size_t)device];
    if (context.users == 0) return invalid_context;
    context.users--;
    return success;
}
API cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active) {
    Locked locked(lock);
    if (int error = check_device(device)) return error;
    *flags = 0;
    *active = state().contexts[(size_t)device]->users > 0;
    return success;
}
API cuDevicePrimaryCtxSetFlags_v2(int device, unsigned) {
    Locked locked(lock);
    return check_device(device);
}
static int check_context(void* handle) {
    if (!state().initialized) return not_initialized;
    for (auto& context : state().contexts) {
        if (context.get() == handle) return success;
    }
    return invalid_context;
}
API cuCtxGetCurrent(void** context) {
    Locked locked(lock);
    if (!state().initialized) return not_initialized;
    *context = current();
    return success;
}
API cuCtxSetCurrent(void* context) {
    Locked locked(lock);
    if (context) {
        if (int error = check_context(context)) return error;
    }
    if (!current_contexts.empty()) current_contexts.pop_back();
    if (context) current_contexts.push_back((Context*)context);
    return success;
}
API cuCtxPushCurrent_v2(void* context) {
    Locked locked(lock);
    if (int error = check_context(context)) return error;
    current_contexts.push_back((Context*)context);
    return success;
}
API cuCtxPopCurrent_v2(void** context) {
    READY();
    if (context) *context = current();
    current_contexts.pop_back();
    return success;
}
API cuCtxGetDevice(int* device) {
    READY();
    *device = current()->device;
    return success;
}
API cuCtxSetFlags(unsigned) {
    READY();
    return success;
}
API cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    READY();
    if (least) *least = 0;
    if (greatest) *greatest = -5;
    return success;
}
API cuCtxSynchronize() {
    READY();
    if (implicit_dependency(current()) || prohibited()) return capture_unsupported;
    finish_all(current());
    return success;
}

// Streams

static int create_stream(void** handle, unsigned flags) {
    READY();
    if (!handle || flags > 1) return invalid_value;
    auto stream = std::make_shared<Stream>(Stream{current(), flags == 0, {}, 0, 0, nullptr});
    *handle = stream.get();
    state().streams[stream.get()] = stream;
    return success;
}
API cuStreamCreate(void** handle, unsigned flags) { return create_stream(handle, flags); }
API cuStreamCreateWithPriority(void** handle, unsigned flags, int) { return create_stream(handle, flags); }
API cuStreamDestroy_v2(void* handle) {
    READY();
    auto at = state().streams.find((Stream*)handle);
    if (at == state().streams.end()) return invalid_handle;
    if (auto capture = at->second->capture) {
        invalidate(*capture);
        state().captures.erase(capture);
    }
    finish(*at->second);
    state().streams.erase(at);
    return success;
}
// The stream, for a call that a stream that captures does not allow.
static int idle_stream(std::shared_ptr<Stream>& stream, void* handle) {
    stream = stream_of(handle);
    if (!stream) return invalid_handle;
    if (stream->capture) {
        if (stream->capture->invalidated) return capture_invalidated;
        invalidate(*stream->capture);
        return capture_unsupported;
    }
    return is_legacy(*stream) ? implicit_dependency(stream->context) : success;
}
API cuStreamSynchronize(void* handle) {
    READY();
    std::shared_ptr<Stream> stream;
    if (int error = idle_stream(stream, handle)) return error;
    if (is_legacy(*stream)) finish_all(current());
    finish(*stream);
    check_all_fences();
    return success;
}
API cuStreamQuery(void* handle) {
    READY();
    std::shared_ptr<Stream> stream;
    if (int error = idle_stream(stream, handle)) return error;
    // Work that waits is done after the first question, so that the second one finds it done.
    if (stream->done == stream->enqueued) return success;
    finish(*stream);
    return not_ready;
}
API cuStreamGetFlags(void* handle, unsigned* flags) {
    READY();
    auto stream = stream_of(handle);
    if (!stream) return invalid_handle;
    *flags = stream->blocking ? 0 : 1;
    return success;
}
API cuStreamGetCtx(void* handle, void** context) {
    READY();
    auto stream = stream_of(handle);
    if (!stream) return invalid_handle;
    *context = stream->context;
    return success;
}
API cuStreamWaitEvent(void* handle, void* event_handle, unsigned) {
    READY();
    auto stream = stream_of(handle);
    Event* event = find(state().events, event_handle);
    if (!stream || !event) return invalid_handle;
    if (stream->capture && stream->capture->invalidated) return capture_invalidated;
    if (event->capture) {
        // The stream joins the capture in which the event was recorded.
        Capture& capture = *event->capture;
        if (capture.invalidated || !state().captures.count(event->capture)) return capture_invalidated;
        if (stream->capture && stream->capture != event->capture) {
            invalidate(*stream->capture);
            invalidate(capture);
            return capture_merge;
        }
        if (is_legacy(*stream)) {
            invalidate(capture);
            return capture_implicit;
        }
        stream->capture = event->capture;
        if (stream.get() != capture.origin) capture.branches.try_emplace(stream.get());
        if (event->branch != capture.origin && event->branch != stream.get()) {
            size_t& joined = capture.branches[event->branch].second;
            joined = std::max(joined, event->branch_nodes);
        }
        return success;
    }
    if (!event->stream) return success;
    if (stream->capture) {
        invalidate(*stream->capture);
        return capture_isolation;
    }
    auto other = event->stream;
    auto sequence = event->sequence;
    return enqueue(*stream, {Node::wait, [=] { run_until(*other, sequence); }});
}
API cuLaunchHostFunc(void* handle, void (*function)(void*), void* argument) {
    READY();
    auto stream = stream_of(handle);
    if (!stream) return invalid_handle;
    if (!function) return invalid_value;
    return enqueue(*stream, {Node::host, [=] { function(argument); }});
}

// Events

API cuEventCreate(void** handle, unsigned flags) {
    READY();
    if (!handle) return invalid_value;
    auto event = std::make_unique<Event>();
    event->timed = !(flags & 2);
    *handle = event.get();
    state().events[event.get()] = std::move(event);
    return success;
}
API cuEventDestroy_v2(void* handle) {
    READY();
    return state().events.erase((Event*)handle) ? success : invalid_handle;
}
API cuEventRecord(void* handle, void* stream_handle) {
    READY();
    auto stream = stream_of(stream_handle);
    Event* event = find(state().events, handle);
    if (!stream || !event) return invalid_handle;
    auto time = std::make_shared<double>(0);
    if (int error = enqueue(*stream, {Node::event, [=] { *time = seconds(); }})) return error;
    event->seconds = time;
    event->stream = stream->capture ? nullptr : stream;
    event->sequence = stream->enqueued;
    event->capture = stream->capture;
    event->branch = stream.get();
    if (stream->capture && stream.get() != stream->capture->origin) event->branch_nodes = stream->capture->branches[stream.get()].first;
    return success;
}
API cuEventRecordWithFlags(void* handle, void* stream, unsigned) { return cuEventRecord(handle, stream); }
static int check_event(Event*& event, void* handle) {
    event = find(state().events, handle);
    if (!event) return invalid_handle;
    return event->capture ? captured_event : success;
}
API cuEventQuery(void* handle) {
    READY();
    Event* event;
    if (int error = check_event(event, handle)) return error;
    if (!event->stream || event->stream->done >= event->sequence) return success;
    run_until(*event->stream, event->sequence);  // as for cuStreamQuery
    return not_ready;
}
API cuEventSynchronize(void* handle) {
    READY();
    Event* event;
    if (int error = check_event(event, handle)) return error;
    if (event->stream) run_until(*event->stream, event->sequence);
    return success;
}
API cuEventElapsedTime_v2(float* milliseconds, void* start_handle, void* end_handle) {
    READY();
    Event *start, *end;
    if (int error = check_event(start, start_handle)) return error;
    if (int error = check_event(end, end_handle)) return error;
    if (!start->timed || !end->timed || !start->stream || !end->stream) return invalid_handle;
    if (start->stream->done < start->sequence || end->stream->done < end->sequence) return not_ready;
    *milliseconds = (float)((*end->seconds - *start->seconds) * 1e3);
    return success;
}
API cuEventElapsedTime(float* milliseconds, void* start, void* end) { return cuEventElapsedTime_v2(milliseconds, start, end); }

// Memory

API cuMemAlloc_v2(Address* address, size_t bytes) {
    READY();
    if (int error = prohibited()) return error;
    return allocate((void**)address, bytes, current());
}
API cuMemFree_v2(Address address) {
    READY();
    if (int error = prohibited()) return error;
    // The driver waits for all work before it takes memory away.
    finish_all(current());
    return release(address, false);
}
API cuMemAllocAsync(Address*, size_t, void*) { return not_supported; }  // as attribute 115 says
API cuMemFreeAsync(Address, void*) { return not_supported; }
API cuMemGetInfo_v2(size_t* left, size_t* total) {
    READY();
    *total = setting("EMULATION_MEMORY", 4ull << 30);
    *left = *total - current()->used;
    return success;
}
API cuMemHostAlloc(void** memory, size_t bytes, unsigned) {
    READY();
    if (int error = prohibited()) return error;
    return allocate(memory, bytes, nullptr);
}
API cuMemAllocHost_v2(void** memory, size_t bytes) { return cuMemHostAlloc(memory, bytes, 0); }
API cuMemFreeHost(void* memory) {
    READY();
    if (int error = prohibited()) return error;
    for (auto& context : state().contexts) finish_all(context.get());
    return release((Address)memory, true);
}
API cuMemHostGetDevicePointer_v2(Address* address, void* memory, unsigned) {
    READY();
    if (!pinned(memory)) return invalid_value;
    *address = (Address)memory;
    return success;
}

#define ASYNC(...)                            \
    READY();                                  \
    auto stream = stream_of(handle);          \
    if (!stream) return invalid_handle;       \
    Node node;                                \
    if (int error = __VA_ARGS__) return error; \
    return enqueue(*stream, std::move(node))
#define SYNC(...)                             \
    READY();                                  \
    Node node;                                \
    if (int error = __VA_ARGS__) return error; \
    return run_now(std::move(node))

// A copy of nothing is allowed with any address.
#define UNLESS_EMPTY(count) \
    if ((count) == 0) return success

API cuMemcpyHtoD_v2(Address to, const void* from, size_t bytes) {
    UNLESS_EMPTY(bytes);
    SYNC(copy_to_device(node, to, from, bytes, false));
}
API cuMemcpyDtoH_v2(void* to, Address from, size_t bytes) {
    UNLESS_EMPTY(bytes);
    SYNC(copy_to_host(node, to, from, bytes));
}
API cuMemcpyDtoD_v2(Address to, Address from, size_t bytes) {
    UNLESS_EMPTY(bytes);
    SYNC(copy_on_device(node, to, from, bytes));
}
API cuMemcpyHtoDAsync_v2(Address to, const void* from, size_t bytes, void* handle) {
    UNLESS_EMPTY(bytes);
    ASYNC(copy_to_device(node, to, from, bytes, !stream->capture));
}
API cuMemcpyDtoHAsync_v2(void* to, Address from, size_t bytes, void* handle) {
    UNLESS_EMPTY(bytes);
    READY();
    auto stream = stream_of(handle);
    if (!stream) return invalid_handle;
    Node node;
    if (int error = copy_to_host(node, to, from, bytes)) return error;
    if (int error = enqueue(*stream, std::move(node))) return error;
    // The call returns after the copy, if the memory is not pinned.
    if (!stream->capture && !pinned(to)) finish(*stream);
    return success;
}
API cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, void* handle) {
    UNLESS_EMPTY(bytes);
    ASYNC(copy_on_device(node, to, from, bytes));
}
API cuMemsetD8_v2(Address to, unsigned char value, size_t count) {
    UNLESS_EMPTY(count);
    SYNC(fill(node, to, value, 1, count));
}
API cuMemsetD32_v2(Address to, unsigned value, size_t count) {
    UNLESS_EMPTY(count);
    SYNC(fill(node, to, value, 4, count));
}
API cuMemsetD8Async(Address to, unsigned char value, size_t count, void* handle) {
    UNLESS_EMPTY(count);
    ASYNC(fill(node, to, value, 1, count));
}
API cuMemsetD32Async(Address to, unsigned value, size_t count, void* handle) {
    UNLESS_EMPTY(count);
    ASYNC(fill(node, to, value, 4, count));
}

// Modules

API cuModuleLoadData(void** handle, const void* image) {
    READY();
    if (int error = prohibited()) return error;
    auto module = std::make_unique<Module>();
    if (int error = load(*module, (const char*)image)) return error;
    *handle = module.get();
    state().modules[module.get()] = std::move(module);
    return success;
}
API cuModuleLoadDataEx(void** handle, const void* image, unsigned, int*, void**) { return cuModuleLoadData(handle, image); }
API cuModuleUnload(void* handle) {
    READY();
    if (int error = prohibited()) return error;
    finish_all(current());
    auto& functions = state().functions;
    for (auto at = functions.begin(); at != functions.end();) at = at->second->module == handle ? functions.erase(at) : std::next(at);
    return state().modules.erase((Module*)handle) ? success : invalid_handle;
}
API cuModuleGetFunction(void** function, void* handle, const char* name) {
    READY();
    Module* module = find(state().modules, handle);
    if (!module) return invalid_handle;
    if (!function || !name) return invalid_value;
    return get_function((Function**)function, *module, name);
}
API cuModuleGetGlobal_v2(Address*, size_t*, void*, const char*) { return not_found; }  // no kernel has any
API cuFuncGetAttribute(int* value, int attribute, void* handle) {
    READY();
    Function* function = find(state().functions, handle);
    if (!function) return invalid_handle;
    const int values[] = {(int)function->threads, 0, 0, 0, 32, 80, 80, 0, 0, 0};  // shared, constant and local bytes, registers, versions
    if (attribute < 0 || attribute >= 10) return invalid_value;
    *value = values[attribute];
    return success;
}
API cuFuncSetAttribute(void* handle, int, int) {
    READY();
    return find(state().functions, handle) ? success : invalid_handle;
}
API cuFuncSetCacheConfig(void* handle, int) {
    READY();
    return find(state().functions, handle) ? success : invalid_handle;
}
API cuLaunchKernel(void* handle, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                   unsigned shared_bytes, void* stream_handle, void** parameters, void** extra) {
    READY();
    Function* function = find(state().functions, handle);
    auto stream = stream_of(stream_handle);
    if (!function || !stream) return invalid_handle;
    return launch(*function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes, *stream, parameters, extra);
}

// Capture and graphs

API cuThreadExchangeStreamCaptureMode(int* mode) {
    if (!mode || *mode < 0 || *mode > 2) return invalid_value;
    std::swap(*mode, capture_mode);
    return success;
}
API cuStreamBeginCapture_v2(void* handle, int mode) {
    READY();
    auto stream = stream_of(handle);
    if (!stream) return invalid_handle;
    if (mode < 0 || mode > 2) return invalid_value;
    if (is_legacy(*stream)) return capture_unsupported;
    if (stream->capture) return illegal_state;
    auto capture = std::make_shared<Capture>();
    capture->origin = stream.get();
    capture->mode = mode;
    capture->thread = std::this_thread::get_id();
    stream->capture = capture;
    state().captures.insert(capture);
    return success;
}
API cuStreamEndCapture(void* handle, void** graph) {
    READY();
    if (graph) *graph = nullptr;
    auto stream = stream_of(handle);
    if (!stream) return invalid_handle;
    if (!graph) return invalid_value;
    auto capture = stream->capture;
    if (!capture) return illegal_state;
    if (capture->mode != 2 && capture->thread != std::this_thread::get_id()) return capture_wrong_thread;
    if (capture->origin != stream.get()) {
        invalidate(*capture);
        return capture_unmatched;
    }
    int error = capture->invalidated ? capture_invalidated : success;
    for (auto& [branch, nodes] : capture->branches) {
        if (!error && nodes.second < nodes.first) error = capture_unjoined;
    }
    for (auto& [other, shared] : state().streams) {
        if (shared->capture == capture) shared->capture = nullptr;
    }
    state().captures.erase(capture);
    if (error) return error;
    auto result = std::make_unique<Graph>(std::move(capture->graph));
    *graph = result.get();
    state().graphs[result.get()] = std::move(result);
    return success;
}
API cuStreamIsCapturing(void* handle, int* status) {
    READY();
    auto stream = stream_of(handle);
    if (!stream) return invalid_handle;
    if (is_legacy(*stream)) {
        if (int error = implicit_dependency(stream->context)) return error;
    }
    *status = !stream->capture ? 0 : stream->capture->invalidated ? 2 : 1;
    return success;
}
API cuGraphGetNodes(void* handle, void** nodes, size_t* count) {
    READY();
    Graph* graph = find(state().graphs, handle);
    if (!graph) return invalid_handle;
    if (!nodes) {
        *count = graph->nodes.size();
        return success;
    }
    for (size_t i = 0; i < *count; i++) nodes[i] = i < graph->nodes.size() ? &graph->nodes[i] : nullptr;
    *count = std::min(*count, graph->nodes.size());
    return success;
}
API cuGraphInstantiateWithFlags(void** executable, void* handle, unsigned long long) {
    READY();
    Graph* graph = find(state().graphs, handle);
    if (!graph) return invalid_handle;
    if (!executable) return invalid_value;
    auto fresh = std::make_unique<Executable>(Executable{std::make_shared<Graph>(*graph)});
    *executable = fresh.get();
    state().executables[fresh.get()] = std::move(fresh);
    return success;
}
API cuGraphUpload(void* handle, void* stream) {
    READY();
    return find(state().executables, handle) && stream_of(stream) ? success : invalid_handle;
}
API cuGraphLaunch(void* handle, void* stream_handle) {
    READY();
    Executable* executable = find(state().executables, handle);
    auto stream = stream_of(stream_handle);
    if (!executable || !stream) return invalid_handle;
    // The work keeps its own reference: a graph may be destroyed while it waits.
    return enqueue(*stream, {Node::graph, [graph = executable->graph] {
                                 for (auto& node : graph->nodes) node.run();
                             }});
}
struct UpdateResult {
    int result;
    void *node, *from_node;
};
API cuGraphExecUpdate_v2(void* handle, void* graph_handle, UpdateResult* result) {
    READY();
    Executable* executable = find(state().executables, handle);
    Graph* graph = find(state().graphs, graph_handle);
    if (!executable || !graph) return invalid_handle;
    *result = {0, nullptr, nullptr};
    auto &before = executable->graph->nodes, &after = graph->nodes;
    if (before.size() != after.size()) result->result = 2;  // other topology
    for (size_t i = 0; !result->result && i < before.size(); i++) {
        if (before[i].kind != after[i].kind) result->result = 3;  // other kind of node
    }
    if (result->result) return graph_update_failure;
    executable->graph = std::make_shared<Graph>(*graph);  // waiting launches keep the old one
    return success;
}
API cuGraphExecDestroy(void* handle) {
    READY();
    return state().executables.erase((Executable*)handle) ? success : invalid_handle;
}
API cuGraphDestroy(void* handle) {
    READY();
    return state().graphs.erase((Graph*)handle) ? success : invalid_handle;
}

// ---- For other emulated libraries ----
// They look these functions up in this library, and do their work on the memory of its devices and in the order of its streams.

// Enqueues work as a launch of a kernel does: the work runs after what the stream has, or becomes a node of the graph that the stream
// records. run(argument) may run any number of times. release(argument) is called once, when nothing refers to the work any more, or at
// once if the call fails.
API emulation_enqueue(void* stream_handle, void (*run)(void*), void* argument, void (*release)(void*)) {
    if (!run || !release) return invalid_value;
    std::shared_ptr<void> held(argument, release);
    READY();
    auto stream = stream_of(stream_handle);
    if (!stream) return invalid_handle;
    return enqueue(*stream, {Node::kernel, [run, held] { run(held.get()); }});
}
// Whether an allocation of a device holds all of these bytes.
API emulation_holds(Address address, size_t bytes) {
    Locked locked(lock);
    const Allocation* allocation = allocation_of(address);
    return allocation && allocation->context && inside(address, bytes);
}
