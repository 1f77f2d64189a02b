//go:build !libtorch_dlopen

#define USE_DISTRIBUTED 1
#define USE_C10D_GLOO 1
#include "dist.h"

#include <ATen/ATen.h>
#include <c10/util/Logging.h>
#include <dlfcn.h>
#include <torch/csrc/distributed/c10d/exception.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <vector>

#include "device.h"

using std::chrono::milliseconds;

struct dist_group {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
  std::optional<dist_device> device;
  // The exchange that goes on. It has its own buffers, since Go's may be gone before it ends.
  c10::intrusive_ptr<c10d::Work> work;
  at::Tensor in, out;
  bool by_device = false;
  bool stuck = false;
};

namespace {

// Words by which messages of Gloo and of sockets tell that a peer is late or gone. Their types do not.
const char* const late[] = {"imed out", "imeout", "imedout"};
const char* const gone[] = {"onnection closed", "onnection reset", "onnection refused", "roken pipe", "Read error",
                            "Connection was",   "ailed to recv",   "ailed to send",     "ocket"};

template <size_t N>
bool has(const std::string& text, const char* const (&words)[N]) {
  for (const char* word : words)
    if (text.find(word) != std::string::npos) return true;
  return false;
}

int failed(const std::string& what, char** err) {
  *err = strdup(what.c_str());
  if (has(what, late)) return DIST_TIMEOUT;
  return has(what, gone) ? DIST_LOST : DIST_ERROR;
}

template <typename F>
int guard(char** err, F f) noexcept {
  try {
    return f();
  } catch (const c10::Error& e) {
    return failed(e.what_without_backtrace(), err);
  } catch (const std::exception& e) {
    return failed(e.what(), err);
  } catch (...) {
    return failed("unknown C++ exception", err);
  }
}

// quiet keeps what c10d says to itself out of standard error, unless the user wants to see it.
void quiet() {
  static std::once_flag once;
  std::call_once(once, [] {
    setenv("TORCH_CPP_LOG_LEVEL", "FATAL", 0);
    c10::initLogging();
  });
}

at::Tensor bytes(int64_t n, at::Device place) { return at::empty({n}, at::device(place).dtype(at::kByte)); }

int64_t total(const int64_t* counts, int n) {
  int64_t sum = 0;
  for (int r = 0; r < n; r++) sum += counts[r];
  return sum;
}

// ended waits for the end of an exchange of devices. NCCL's own wait would give up the connection at its limit.
bool ended(c10d::Work& work, milliseconds most) {
  for (const auto until = std::chrono::steady_clock::now() + most; !work.isCompleted();) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return true;
}

}  // namespace

int dist_open(const char* host, int port, int server, int world, const char* prefix, int64_t ms, dist_group** out,
              char** err) {
  quiet();
  return guard(err, [&] {
    c10d::TCPStoreOptions opt;
    opt.port = static_cast<uint16_t>(port);
    opt.isServer = server;
    opt.numWorkers = world;
    opt.waitWorkers = false;
    opt.timeout = milliseconds(ms);
    auto g = std::make_unique<dist_group>();
    g->store =
        c10::make_intrusive<c10d::PrefixStore>(prefix, c10::make_intrusive<c10d::TCPStore>(std::string(host), opt));
    *out = g.release();
    return DIST_OK;
  });
}

int dist_set(dist_group* g, const char* key, const char* value, char** err) {
  return guard(err, [&] {
    g->store->set(key, std::vector<uint8_t>(value, value + strlen(value)));
    return DIST_OK;
  });
}

int dist_get(dist_group* g, const char* key, char** value, char** err) {
  return guard(err, [&] {
    *value = nullptr;
    if (g->store->check({key})) {
      const auto v = g->store->get(key);
      *value = strndup(reinterpret_cast<const char*>(v.data()), v.size());
    }
    return DIST_OK;
  });
}

int dist_connect(dist_group* g, int rank, int world, const char* iface, const char* address, int64_t ms, char** err) {
  return guard(err, [&] {
    using Gloo = c10d::ProcessGroupGloo;
    auto opt = Gloo::Options::create(milliseconds(ms));
    opt->devices.push_back(*iface ? Gloo::createDeviceForInterface(iface) : Gloo::createDeviceForHostname(address));
    const auto store = g->store->clone();  // Gloo waits at it, while dist_get asks the other
    store->setTimeout(milliseconds(ms));
    g->gloo = c10::make_intrusive<Gloo>(store, rank, world, opt);
    return DIST_OK;
  });
}

int dist_device_connect(dist_group* g, const char* library, int index, int64_t ms, char** err) {
  return guard(err, [&] {
    void* lib = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    void* open = lib ? dlsym(lib, dist_device_name) : nullptr;
    if (!open) {
      const char* why = dlerror();
      TORCH_CHECK(false, why ? why : library);
    }
    const auto store = c10::make_intrusive<c10d::PrefixStore>("device", g->store->clone());
    store->setTimeout(milliseconds(ms));
    g->device = reinterpret_cast<dist_device_open>(open)(store, g->gloo->getRank(), g->gloo->getSize(), index,
                                                         milliseconds(ms));
    return DIST_OK;
  });
}

void dist_device_leave(dist_group* g) {
  if (g->device) g->device->backend->abort();
  g->device.reset();
}

int dist_start(dist_group* g, int what, int by_device, const void* in, const int64_t* send, const int64_t* receive,
               int64_t ms, char** err) {
  return guard(err, [&] {
    TORCH_CHECK(!g->work, "an exchange goes on");
    const int world = g->gloo->getSize();
    const bool all = what == DIST_EXCHANGE;
    at::Device place = at::kCPU;
    c10d::Backend* backend = g->gloo.get();
    if (by_device) {
      TORCH_CHECK(g->device, "the ranks' devices are not connected");
      place = g->device->place;
      backend = g->device->backend.get();
    }
    g->in = bytes(all ? total(send, world) : send[0], at::kCPU);
    if (in) memcpy(g->in.data_ptr(), in, g->in.numel());
    g->in = g->in.to(place);
    if (all) {
      std::vector<int64_t> from(receive, receive + world), to(send, send + world);
      c10d::AllToAllOptions o;
      o.timeout = milliseconds(ms);
      g->out = bytes(total(receive, world), place);
      g->work = backend->alltoall_base(g->out, g->in, from, to, o);
    } else if (what == DIST_SUM) {
      g->out = g->in;
      std::vector<at::Tensor> sums{g->in.view(at::kFloat)};
      c10d::AllreduceOptions o;
      o.timeout = milliseconds(ms);
      g->work = backend->allreduce(sums, o);
    } else {
      std::vector<at::Tensor> ins{g->in};
      g->out = bytes(world * send[0], place);
      std::vector<std::vector<at::Tensor>> parts{g->out.split(send[0])};
      c10d::AllgatherOptions o;
      o.timeout = milliseconds(ms);
      g->work = backend->allgather(parts, ins, o);
    }
    g->by_device = by_device;
    return DIST_OK;
  });
}

int dist_wait(dist_group* g, int64_t ms, char** err) {
  return guard(err, [&] {
    g->stuck = true;  // until it has ended, whatever happens below
    try {
      if (g->by_device && !ended(*g->work, milliseconds(ms))) return DIST_PENDING;
      g->work->wait(g->by_device ? kNoTimeout : milliseconds(ms));
    } catch (...) {
      if (!g->work->isCompleted()) return DIST_PENDING;
      g->stuck = false;
      const auto why = g->work->exception();  // none if it ended just after the wait for it
      if (why) {
        g->work.reset();
        std::rethrow_exception(why);
      }
    }
    g->stuck = false;
    g->work.reset();
    return DIST_OK;
  });
}

int dist_take(dist_group* g, void* out, int64_t n, char** err) {
  return guard(err, [&] {
    TORCH_CHECK(g->out.numel() == n, "the result has ", g->out.numel(), " bytes, the caller wants ", n);
    memcpy(out, g->out.cpu().data_ptr(), n);
    g->in = g->out = at::Tensor();
    return DIST_OK;
  });
}

void dist_close(dist_group* g) {
  if (!g || g->stuck) return;
  dist_device_leave(g);
  delete g;
}
