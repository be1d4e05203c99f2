// CUDA C++ for g++: runs kernels on the CPU, a block at a time, one thread after the other.
//
// A thread of a block is a fiber. It runs until it waits at a barrier or a warp operation, or until it returns. Then the next thread
// has its turn. Mistakes that a GPU hides become visible: shared memory is full of NaNs at first and surrounded by guard zones,
// barriers and warp operations that not all threads reach end the program, and the order of blocks and threads can be chosen.
//
// Environment:
//   EMULATION_ORDER   0 natural (default), 1 blocks reversed, 2 threads reversed, 3 both, random:<seed> random orders of blocks, and of
//                     threads at each turn.
//
// One kernel runs at a time. Host threads that share the emulation must take turns (the emulated driver does that with a lock).
#pragma once
#include <math.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};
struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(8) int2 {
    int x, y;
};
struct alignas(16) int4 {
    int x, y, z, w;
};
struct alignas(16) double2 {
    double x, y;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline double2 make_double2(double x, double y) { return {x, y}; }

namespace emulation {

constexpr unsigned warp_size = 32;
constexpr unsigned most_threads = 1024;
constexpr size_t shared_limit = 48 * 1024;  // static shared memory of a block
constexpr size_t guard_size = 256;          // bytes before and after each shared array
constexpr unsigned char guard_byte = 0xa5;
#if defined(__SANITIZE_ADDRESS__)
constexpr size_t stack_size = 512 * 1024;  // AddressSanitizer puts red zones between variables
#else
constexpr size_t stack_size = 128 * 1024;
#endif

// ---- Fibers ----

struct Fiber {
#if defined(__x86_64__)
    void* stack_pointer = nullptr;
#else
    ucontext_t context;
#endif
    const void* bottom = nullptr;  // of the stack
    size_t size = 0;
    void* fake_stack = nullptr;  // of AddressSanitizer
};

#if defined(__x86_64__)
// Saves what a function must preserve on the present stack, and goes on where the other stack stopped. The control words of SSE and x87
// are not switched: no kernel changes them, so all fibers have the same.
__attribute__((naked, noinline, noipa)) inline void switch_stack([[maybe_unused]] void** from, [[maybe_unused]] void* to) {
    asm("pushq %rbp\n\t"
        "pushq %rbx\n\t"
        "pushq %r12\n\t"
        "pushq %r13\n\t"
        "pushq %r14\n\t"
        "pushq %r15\n\t"
        "movq %rsp, (%rdi)\n\t"
        "movq %rsi, %rsp\n\t"
        "popq %r15\n\t"
        "popq %r14\n\t"
        "popq %r13\n\t"
        "popq %r12\n\t"
        "popq %rbx\n\t"
        "popq %rbp\n\t"
        "ret");
}
#endif

// ---- The machine: one block ----

enum class State { fresh, ready, running, at_barrier, at_warp, returned };

// A copy to shared memory that was issued and has not been waited for.
struct Copy {
    void* to;
    unsigned bytes, group;
    unsigned char data[16];
};

struct Thread {
    dim3 index;
    unsigned linear = 0;
    State state = State::fresh;
    Fiber* fiber = nullptr;
    unsigned phase = 0;  // number of warp operations so far
    std::source_location where;
    unsigned groups = 0;  // groups of copies so far
    std::vector<Copy> copies;
};

struct Warp {
    unsigned members = 0, arrived = 0;
    // Operations alternate between two buffers. A thread can be one operation ahead of the others, but not two.
    alignas(64) unsigned char lanes[2][warp_size * 64];
};

// One SHARED variable; static storage. Its memory is given out anew for each block.
struct SharedSlot {
    unsigned long long block = 0;
    void* memory = nullptr;
};

struct SharedArray {
    size_t offset, bytes;
    const char* name;
};

struct Machine {
    dim3 grid, block, block_index;
    const char* kernel = "?";
    void (*body)(void*) = nullptr;
    void* argument = nullptr;

    Thread* current = nullptr;
    unsigned threads = 0;
    std::vector<Thread> thread;
    std::vector<Warp> warp;
    std::vector<unsigned> turn;  // order of threads
    unsigned position = 0;

    Fiber main;
    std::vector<std::unique_ptr<Fiber>> fibers;
    std::vector<Fiber*> idle;
    Fiber* active = nullptr;

    unsigned long long blocks_so_far = 0;
    alignas(256) unsigned char shared[shared_limit + 64 * 3 * guard_size];
    size_t shared_end = 0, shared_bytes = 0;
    std::vector<SharedArray> arrays;

    bool order_known = false, blocks_reversed = false, threads_reversed = false, random = false;
    uint64_t random_state = 0;
};
inline Machine machine;

[[noreturn]] __attribute__((format(printf, 1, 2))) inline void fail(const char* format, ...) {
    auto& m = machine;
    fflush(stdout);
    fprintf(stderr, "emulation: kernel %s, block (%u, %u, %u)", m.kernel, m.block_index.x, m.block_index.y, m.block_index.z);
    if (m.current) fprintf(stderr, ", thread (%u, %u, %u)", m.current->index.x, m.current->index.y, m.current->index.z);
    fprintf(stderr, ": ");
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    abort();
}

// ---- Order ----

// Takes "0" to "3" or "random:<seed>"; see above.
inline void set_order(const char* text) {
    auto& m = machine;
    bool known = true;
    m.blocks_reversed = m.threads_reversed = m.random = false;
    if (strncmp(text, "random:", 7) == 0 && text[7]) {
        char* end = nullptr;
        m.random = true;
        m.random_state = strtoull(text + 7, &end, 10);
        known = !*end;
    } else if (text[0] >= '0' && text[0] <= '3' && !text[1]) {
        m.blocks_reversed = (text[0] - '0') & 1;
        m.threads_reversed = (text[0] - '0') & 2;
    } else {
        known = false;
    }
    if (!known) {
        fprintf(stderr, "EMULATION_ORDER=%s: expected 0, 1, 2, 3 or random:<seed>\n", text);
        abort();
    }
    m.order_known = true;
}

// splitmix64
inline uint64_t random_number() {
    uint64_t z = machine.random_state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

template <class T>
void shuffle(std::vector<T>& values) {
    for (size_t i = values.size(); i > 1; i--) std::swap(values[i - 1], values[random_number() % i]);
}

inline void begin_turn() {
    machine.position = 0;
    if (machine.random) shuffle(machine.turn);
}

// ---- Turns ----

// Switches to another fiber, and returns when something switches back.
inline void switch_to(Fiber* to) {
    auto& m = machine;
    Fiber* from = m.active;
    m.active = to;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&from->fake_stack, to->bottom, to->size);
#endif
#if defined(__x86_64__)
    switch_stack(&from->stack_pointer, to->stack_pointer);
#else
    swapcontext(&from->context, &to->context);
#endif
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(from->fake_stack, nullptr, nullptr);
#endif
}

inline std::string describe(const std::source_location& where) {
    return std::string(where.file_name()) + ":" + std::to_string(where.line());
}
inline bool same(const std::source_location& a, const std::source_location& b) {
    return a.line() == b.line() && a.column() == b.column() && strcmp(a.file_name(), b.file_name()) == 0;
}

// Ends a turn in which no thread can go on: opens the barrier if all threads are there. Returns whether any thread is left.
inline bool open_barrier() {
    auto& m = machine;
    Thread *waiting = nullptr, *returned = nullptr;
    for (unsigned i = 0; i < m.threads; i++) {
        Thread& t = m.thread[i];
        if (t.state == State::at_warp) {
            m.current = &t;
            fail("waits at the warp operation at %s, which not all threads of the warp reach", describe(t.where).c_str());
        }
        if (t.state == State::returned && !returned) returned = &t;
        if (t.state == State::at_barrier && !waiting) waiting = &t;
    }
    if (!waiting) return false;
    m.current = waiting;
    if (returned) {
        fail("waits at the barrier at %s, but thread (%u, %u, %u) has returned", describe(waiting->where).c_str(), returned->index.x,
             returned->index.y, returned->index.z);
    }
    for (unsigned i = 0; i < m.threads; i++) {
        Thread& t = m.thread[i];
        if (!same(t.where, waiting->where)) {
            fail("waits at the barrier at %s, but thread (%u, %u, %u) at the one at %s", describe(waiting->where).c_str(), t.index.x, t.index.y,
                 t.index.z, describe(t.where).c_str());
        }
    }
    for (unsigned i = 0; i < m.threads; i++) m.thread[i].state = State::ready;
    return true;
}

// The next thread that can go on, or null after all have returned.
inline Thread* next_thread() {
    auto& m = machine;
    for (;;) {
        while (m.position < m.threads) {
            Thread& t = m.thread[m.turn[m.position++]];
            if (t.state == State::fresh || t.state == State::ready) return &t;
        }
        bool any = false;
        for (unsigned i = 0; i < m.threads && !any; i++) any = m.thread[i].state == State::ready;
        if (!any && !open_barrier()) return nullptr;
        begin_turn();
    }
}

[[noreturn]] inline void fiber_main() {
    auto& m = machine;
    Fiber* self = m.active;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
    for (;;) {
        Thread* thread = m.current;
        thread->fiber = self;
        thread->state = State::running;
        m.body(m.argument);
        if (!thread->copies.empty()) fail("returns without waiting for its asynchronous copies");
        thread->state = State::returned;
        Thread* next = next_thread();
        m.current = next;
        // A fiber whose thread has returned runs the next one, so that a kernel without barriers needs one fiber only.
        if (next && next->state == State::fresh) continue;
        m.idle.push_back(self);
        switch_to(next ? next->fiber : &m.main);
    }
}

// A fiber that starts, or goes on, with the present thread.
inline Fiber* idle_fiber() {
    auto& m = machine;
    if (!m.idle.empty()) {
        Fiber* fiber = m.idle.back();
        m.idle.pop_back();
        return fiber;
    }
    auto fiber = std::make_unique<Fiber>();
    // The lowest page is a guard: running out of stack is a segmentation fault and not a write into other memory.
    constexpr size_t page = 4096;
    char* memory = (char*)mmap(nullptr, stack_size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0) fail("no memory for the stack of a thread");
    fiber->bottom = memory + page;
    fiber->size = stack_size;
#if defined(__x86_64__)
    // What switch_stack pops: six registers and the address to return to. A function expects its return address, here null, above it.
    void** top = (void**)(memory + page + stack_size);
    top[-1] = nullptr;
    top[-2] = (void*)fiber_main;
    for (int i = 3; i <= 8; i++) top[-i] = nullptr;
    fiber->stack_pointer = top - 8;
#else
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = memory + page;
    fiber->context.uc_stack.ss_size = stack_size;
    fiber->context.uc_link = nullptr;
    makecontext(&fiber->context, (void (*)())fiber_main, 0);
#endif
    m.fibers.push_back(std::move(fiber));
    return m.fibers.back().get();
}

// Lets other threads run until the present one, whose state says what it waits for, is ready again.
inline void wait() {
    auto& m = machine;
    Thread* self = m.current;
    Thread* next = next_thread();
    m.current = next;
    if (next != self) switch_to(next->state == State::fresh ? idle_fiber() : next->fiber);
    self->state = State::running;
}

inline void barrier(const std::source_location& where) {
    Thread* self = machine.current;
    self->state = State::at_barrier;
    self->where = where;
    wait();
}

// Waits until all threads of the warp are at the same operation.
inline void warp_sync(const std::source_location& where = std::source_location::current()) {
    auto& m = machine;
    Thread* self = m.current;
    unsigned first = self->linear & ~(warp_size - 1);
    Warp& warp = m.warp[self->linear / warp_size];
    self->phase++;
    self->where = where;
    if (++warp.arrived < warp.members) {
        self->state = State::at_warp;
        wait();
        return;
    }
    warp.arrived = 0;
    for (unsigned i = first; i < first + warp.members; i++) {
        Thread& t = m.thread[i];
        if (!same(t.where, where)) {
            fail("is at the warp operation at %s, but thread (%u, %u, %u) of the same warp at the one at %s", describe(where).c_str(), t.index.x,
                 t.index.y, t.index.z, describe(t.where).c_str());
        }
        if (&t != self) t.state = State::ready;
    }
}

// Gives a value of at most 64 bytes to all threads of the warp. Returns the values of its 32 lanes, valid until the next warp operation.
// Lanes beyond the end of the block are full of NaNs.
template <class T>
const T* warp_exchange(const T& value, const std::source_location& where = std::source_location::current()) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 64);
    Thread* self = machine.current;
    unsigned char* lanes = machine.warp[self->linear / warp_size].lanes[self->phase % 2];
    memcpy(lanes + self->linear % warp_size * sizeof(T), &value, sizeof(T));
    warp_sync(where);
    return (const T*)lanes;
}

// ---- Shared memory ----

inline void poison(const void* memory, size_t bytes, bool forbidden) {
#if defined(__SANITIZE_ADDRESS__)
    if (forbidden) ASAN_POISON_MEMORY_REGION(memory, bytes);
    else ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
#else
    (void)memory, (void)bytes, (void)forbidden;
#endif
}

inline void* allocate_shared(size_t bytes, const char* name) {
    auto& m = machine;
    m.shared_bytes += bytes;
    if (m.shared_bytes > shared_limit) fail("%zu bytes of shared memory are more than %zu", m.shared_bytes, shared_limit);
    size_t offset = m.shared_end + guard_size, end = offset + bytes;
    m.shared_end = (end + guard_size - 1) / guard_size * guard_size + guard_size;
    if (m.shared_end > sizeof m.shared) fail("too many shared arrays");
    poison(m.shared + offset - guard_size, m.shared_end - offset + guard_size, false);
    memset(m.shared + offset - guard_size, guard_byte, guard_size);
    memset(m.shared + offset, 0xff, bytes);  // NaNs
    memset(m.shared + end, guard_byte, m.shared_end - end);
    poison(m.shared + offset - guard_size, guard_size, true);
    poison(m.shared + end, m.shared_end - end, true);
    m.arrays.push_back({offset, bytes, name});
    return m.shared + offset;
}

template <class T>
T& shared(SharedSlot& slot, const char* name) {
    if (slot.block != machine.blocks_so_far) {
        slot.memory = allocate_shared(sizeof(T), name);
        slot.block = machine.blocks_so_far;
    }
    return *(T*)slot.memory;
}

inline void check_guards() {
    auto& m = machine;
    poison(m.shared, m.shared_end, false);
    size_t at = 0;
    for (size_t i = 0; i <= m.arrays.size(); i++) {
        size_t end = i < m.arrays.size() ? m.arrays[i].offset : m.shared_end;
        for (; at < end; at++) {
            if (m.shared[at] == guard_byte) continue;
            std::string place;
            if (i > 0) place += std::to_string(at - m.arrays[i - 1].offset - m.arrays[i - 1].bytes) + " bytes after the end of " + m.arrays[i - 1].name;
            if (i > 0 && i < m.arrays.size()) place += ", ";
            if (i < m.arrays.size()) place += std::to_string(end - at) + " bytes before the start of " + m.arrays[i].name;
            m.current = nullptr;
            fail("a write outside of shared arrays: %s", place.c_str());
        }
        if (i < m.arrays.size()) at = end + m.arrays[i].bytes;
    }
    poison(m.shared, sizeof m.shared, true);
    m.arrays.clear();
    m.shared_end = m.shared_bytes = 0;
}

// ---- Asynchronous copies and matrix products ----

// Issues a copy to shared memory, of zeros unless `inside`. Until it is waited for, the destination is full of NaNs.
inline void copy_async(void* to, const void* from, unsigned bytes, bool inside) {
    if ((uintptr_t)to % bytes) fail("an asynchronous copy of %u bytes to %p, which is not aligned", bytes, to);
    if (inside && (uintptr_t)from % bytes) fail("an asynchronous copy of %u bytes from %p, which is not aligned", bytes, from);
    Thread* self = machine.current;
    Copy copy{to, bytes, self->groups, {}};
    if (inside) memcpy(copy.data, from, bytes);
    memset(to, 0xff, bytes);
    self->copies.push_back(copy);
}
inline void copy_commit() { machine.current->groups++; }
// Waits for all groups but the latest `left`.
inline void copy_wait(unsigned left) {
    Thread* self = machine.current;
    size_t n = 0;
    for (; n < self->copies.size() && self->copies[n].group + left < self->groups; n++) {
        const Copy& copy = self->copies[n];
        memcpy(copy.to, copy.data, copy.bytes);
    }
    self->copies.erase(self->copies.begin(), self->copies.begin() + (std::ptrdiff_t)n);
}

// mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 of a warp: d += a·b for 16×8 by 8×8. A GPU's order of the eight products is not
// known; here they are summed in f64 and rounded once. Operands must be TF32: their last 13 bits are zero.
inline void mma_m16n8k8(float (&d)[4], const float (&a)[4], const float (&b)[2],
                        const std::source_location& where = std::source_location::current()) {
    struct Operands {
        float a[4], b[2];
    } own;
    for (int i = 0; i < 6; i++) {
        float v = i < 4 ? a[i] : b[i - 4];
        uint32_t bits;
        memcpy(&bits, &v, 4);
        if (v == v && (bits & 0x1fff)) fail("operand %g of a matrix product is not rounded to TF32", v);
        (i < 4 ? own.a[i] : own.b[i - 4]) = v;
    }
    const Operands* lanes = warp_exchange(own, where);
    unsigned lane = machine.current->linear % warp_size;
    for (unsigned i = 0; i < 4; i++) {
        unsigned row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
        double sum = d[i];
        for (unsigned k = 0; k < 8; k++) {
            sum += (double)lanes[row % 8 * 4 + k % 4].a[row / 8 + k / 4 * 2] * lanes[column * 4 + k % 4].b[k / 4];
        }
        d[i] = (float)sum;
    }
}

// ---- Launches ----

inline void run_block(dim3 index) {
    auto& m = machine;
    m.block_index = index;
    m.blocks_so_far++;
    for (unsigned i = 0; i < m.threads; i++) {
        Thread& t = m.thread[i];
        t.state = State::fresh;
        t.phase = t.groups = 0;
    }
    for (auto& warp : m.warp) warp.arrived = 0;
    begin_turn();
    m.current = next_thread();
    switch_to(idle_fiber());
    check_guards();
}

inline void run_kernel(const char* name, dim3 grid, dim3 block, void (*body)(void*), void* argument) {
    auto& m = machine;
    if (!m.order_known) {
        const char* text = getenv("EMULATION_ORDER");
        set_order(text && *text ? text : "0");
    }
    m.kernel = name;
    m.grid = grid;
    m.block = block;
    m.body = body;
    m.argument = argument;
    m.current = nullptr;
    m.block_index = {0, 0, 0};
    unsigned long long count = (unsigned long long)block.x * block.y * block.z;
    if (count == 0 || count > most_threads) fail("a block of %llu threads", count);
    m.threads = (unsigned)count;
    if (m.thread.size() < m.threads) m.thread.resize(m.threads);
    m.warp.resize((m.threads + warp_size - 1) / warp_size);
    m.turn.resize(m.threads);
    for (unsigned i = 0; i < m.threads; i++) {
        m.thread[i].index = {i % block.x, i / block.x % block.y, i / block.x / block.y};
        m.thread[i].linear = i;
        m.turn[i] = m.threads_reversed ? m.threads - 1 - i : i;
    }
    for (size_t i = 0; i < m.warp.size(); i++) {
        m.warp[i].members = std::min(warp_size, m.threads - (unsigned)i * warp_size);
        if (m.warp[i].members < warp_size) memset(m.warp[i].lanes, 0xff, sizeof m.warp[i].lanes);
    }
    m.active = &m.main;
#if defined(__SANITIZE_ADDRESS__)
    // AddressSanitizer must know the stack to which the last fiber returns.
    pthread_attr_t attributes;
    void* bottom;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &bottom, &m.main.size);
    pthread_attr_destroy(&attributes);
    m.main.bottom = bottom;
#endif
    poison(m.shared, sizeof m.shared, true);
    size_t blocks = (size_t)grid.x * grid.y * grid.z;
    std::vector<size_t> order;
    if (m.random) {
        order.resize(blocks);
        for (size_t i = 0; i < blocks; i++) order[i] = i;
        shuffle(order);
    }
    for (size_t i = 0; i < blocks; i++) {
        size_t n = m.random ? order[i] : m.blocks_reversed ? blocks - 1 - i : i;
        run_block({(unsigned)(n % grid.x), (unsigned)(n / grid.x % grid.y), (unsigned)(n / grid.x / grid.y)});
    }
    m.kernel = "?";
}

// Runs a body, usually a lambda that calls a kernel: run({1, 1, 1}, {256, 1, 1}, [&] { relu(x, y, count); });
template <class Body>
void run(dim3 grid, dim3 block, Body&& body, const char* name = "?") {
    using Plain = std::remove_reference_t<Body>;
    run_kernel(name, grid, block, [](void* b) { (*(Plain*)b)(); }, (void*)&body);
}

struct Argument {
    size_t bytes;
    bool pointer;
};
struct Kernel {
    const char* name;
    std::vector<Argument> arguments;
    std::function<void(void**)> call;
};
inline std::map<std::string, Kernel>& kernels() {
    static std::map<std::string, Kernel> all;
    return all;
}
template <class... A, size_t... I>
void apply(void (*function)(A...), void** arguments, std::index_sequence<I...>) {
    function(*static_cast<std::decay_t<A>*>(arguments[I])...);
}
template <class... A>
bool add_kernel(const char* name, void (*function)(A...)) {
    auto call = [function](void** arguments) { apply(function, arguments, std::index_sequence_for<A...>{}); };
    bool fresh = kernels().emplace(name, Kernel{name, {{sizeof(std::decay_t<A>), std::is_pointer_v<std::decay_t<A>>}...}, call}).second;
    if (!fresh) {
        fprintf(stderr, "two kernels are named %s\n", name);
        abort();
    }
    return true;
}
// Runs a kernel as the driver does: with pointers to its arguments.
inline void launch(const Kernel& kernel, dim3 grid, dim3 block, void** arguments) {
    run(grid, block, [&] { kernel.call(arguments); }, kernel.name);
}

// Ends the program if a pointer is not aligned as wide loads and stores need it.
inline void check_alignment(const void* pointer, size_t bytes) {
    if ((uintptr_t)pointer % bytes) fail("address %p is not aligned to %zu bytes", pointer, bytes);
}

}  // namespace emulation

#define threadIdx (emulation::machine.current->index)
#define blockIdx (emulation::machine.block_index)
#define blockDim (emulation::machine.block)
#define gridDim (emulation::machine.grid)
#define warpSize 32

#define SHARED(type, name)                   \
    static emulation::SharedSlot name##_slot; \
    auto& name = emulation::shared<type>(name##_slot, #name)
#define KERNEL(name, ...)                                                          \
    static void name(__VA_ARGS__);                                                 \
    [[maybe_unused]] static const bool name##_known = emulation::add_kernel(#name, name); \
    static void name(__VA_ARGS__)
#define KERNEL_RESIDENT(name, blocks, ...) KERNEL(name, __VA_ARGS__)

inline void __syncthreads(std::source_location where = std::source_location::current()) { emulation::barrier(where); }
inline void __syncwarp(unsigned = ~0u, std::source_location where = std::source_location::current()) { emulation::warp_sync(where); }
inline void __threadfence() {}
inline void __threadfence_block() {}
inline unsigned atomicAdd(unsigned* p, unsigned v) {
    unsigned old = *p;
    *p += v;
    return old;
}

// Shuffles need all lanes of the warp; other masks are refused.
namespace emulation {
template <class T>
T shuffled(unsigned mask, const T& value, unsigned lane, const std::source_location& where) {
    if (mask != ~0u) fail("a shuffle with mask %08x: only all lanes are supported", mask);
    return warp_exchange(value, where)[lane];
}
inline unsigned lane() { return machine.current->linear % warp_size; }
}  // namespace emulation
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, std::source_location where = std::source_location::current()) {
    unsigned own = emulation::lane(), other = own ^ (unsigned)lanes;
    // A lane of a later group gives its own value back.
    return emulation::shuffled(mask, value, other / width > own / width ? own : other, where);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, std::source_location where = std::source_location::current()) {
    unsigned own = emulation::lane();
    return emulation::shuffled(mask, value, own % width + delta < (unsigned)width ? own + delta : own, where);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, std::source_location where = std::source_location::current()) {
    unsigned own = emulation::lane();
    return emulation::shuffled(mask, value, own % width >= delta ? own - delta : own, where);
}
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, std::source_location where = std::source_location::current()) {
    unsigned own = emulation::lane();
    return emulation::shuffled(mask, value, own / width * width + (unsigned)source % width, where);
}

template <class To, class From>
inline To emulation_bits(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}
inline int __float_as_int(float v) { return emulation_bits<int>(v); }
inline unsigned __float_as_uint(float v) { return emulation_bits<unsigned>(v); }
inline float __int_as_float(int v) { return emulation_bits<float>(v); }
inline float __uint_as_float(unsigned v) { return emulation_bits<float>(v); }
template <class T>
T __ldg(const T* p) {
    emulation::check_alignment(p, alignof(T));
    return *p;
}
