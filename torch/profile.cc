//go:build !libtorch_dlopen

// Kernels of profiles: the times of the nodes of a backward pass, and the numbers of their
// operations in the forward pass. Without a profile they are not called.
#include <ATen/SequenceNumber.h>
#include <ATen/record_function.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <mutex>

#include "kernel.h"

namespace bt {
namespace {

using Clock = std::chrono::steady_clock;

// Node is a row of the result of backward_profiled.
struct Node {
  int64_t sequence;    // number of its forward operation; -1 for the addition of a gradient to a leaf
  int64_t begin, end;  // nanoseconds since the start of the pass
  char name[40] = {};  // truncated, ends with 0
};
constexpr int64_t kColumns = sizeof(Node) / sizeof(int64_t);

// Nodes has the nodes of one backward pass. libtorch passes it to all threads of the pass.
struct Nodes : c10::DebugInfoBase {
  std::mutex mutex;
  std::vector<Node> list;
  Clock::time_point start = Clock::now();
  int64_t device = -1;

  int64_t now() const {
    if (device >= 0) at::detail::getCUDAHooks().deviceSynchronize(static_cast<c10::DeviceIndex>(device));
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
  }
};

// Not PROFILER_STATE, in which the allocator expects a memory profiler.
c10::DebugInfoKind slot() { return c10::DebugInfoKind::TEST_INFO; }

Nodes* running() { return static_cast<Nodes*>(c10::ThreadLocalDebugInfo::get(slot())); }

struct Begin : at::ObserverContext {
  explicit Begin(int64_t t) : at(t) {}
  int64_t at;
};

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction&) {
  auto* nodes = running();
  return nodes ? std::make_unique<Begin>(nodes->now()) : nullptr;
}

void end(const at::RecordFunction& f, at::ObserverContext* began) {
  auto* nodes = running();
  if (!nodes || !began) return;
  Node n{f.seqNr(), static_cast<Begin*>(began)->at, nodes->now()};
  std::strncpy(n.name, f.name(), sizeof n.name - 1);
  std::lock_guard<std::mutex> lock(nodes->mutex);
  nodes->list.push_back(n);
}

// Observing records nodes during its life.
struct Observing {
  at::CallbackHandle handle =
      at::addThreadLocalCallback(at::RecordFunctionCallback(begin, end).scopes({at::RecordScope::BACKWARD_FUNCTION}));
  ~Observing() { at::removeCallback(handle); }
};

// backward_profiled is backward with the nodes (n, kColumns), Long, as its result. Integer 0 is the
// CUDA device to wait for, or -1.
void backward_profiled(Call& c) {
  auto nodes = std::make_shared<Nodes>();
  nodes->device = c.i(0);
  {
    c10::DebugInfoGuard recorded(slot(), nodes);
    Observing observing;
    c.t(0).backward();
  }
  std::lock_guard<std::mutex> lock(nodes->mutex);
  std::stable_sort(nodes->list.begin(), nodes->list.end(),
                   [](const Node& a, const Node& b) { return a.begin < b.begin; });
  auto out = at::empty({static_cast<int64_t>(nodes->list.size()), kColumns}, at::kLong);
  if (!nodes->list.empty()) std::memcpy(out.data_ptr(), nodes->list.data(), out.nbytes());
  c.out(out);
}

// sequence_number writes the number of the next operation that this thread will record.
void sequence_number(Call& c) {
  const auto n = static_cast<int64_t>(at::sequence_number::peek());
  c.write(&n, 1);
}

const Table kernels{{
    {"backward_profiled", backward_profiled},
    {"sequence_number", sequence_number},
}};

}  // namespace
}  // namespace bt
