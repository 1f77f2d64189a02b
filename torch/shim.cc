//go:build !libtorch_dlopen

#if !__has_include(<ATen/ATen.h>)
#error "libtorch is not there: run scripts/fetch_libtorch.sh, or build with -tags libtorch_pkgconfig"
#endif
#include "shim.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <malloc.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/version.h>

#include <atomic>
#include <climits>
#include <cstring>
#include <map>
#include <string>

#include "kernel.h"

namespace bt {

static std::map<std::string, Kernel>& table() {
  static std::map<std::string, Kernel> t;
  return t;
}

Table::Table(std::initializer_list<std::pair<const char*, Kernel>> kernels) {
  for (auto& [name, k] : kernels) table()[name] = k;
}

static std::atomic<int64_t> live{0};
static thread_local int32_t worker = 0;

void Call::out(Tensor x) {
  TORCH_CHECK(results < nout, "more results than the caller wants");
  out_[results++] = new Tensor(std::move(x));
  live++;
}

static char* message(const std::string& s) { return strdup(s.c_str()); }

}  // namespace bt

bt_op bt_lookup(const char* name) {
  auto k = bt::table().find(name);
  return k == bt::table().end() ? 0 : reinterpret_cast<bt_op>(k->second);
}

int bt_call(bt_op op, uint32_t flags, int32_t worker, const bt_tensor* t, int nt, const int64_t* i, int ni,
            const double* f, int nf, void* buf, size_t nbuf, bt_tensor* out, int nout, char** err) {
  if (worker != 0 && worker != bt::worker) {
    *err = bt::message("a scope is used outside its closure: it belongs to the goroutine that runs the closure");
    return BT_WRONG_THREAD;
  }
  bt::Call c{t, nt, i, ni, f, nf, buf, nbuf, out, nout};
  int code;
  try {
    c10::AutoGradMode mode((flags & BT_GRAD) != 0);
    reinterpret_cast<bt::Kernel>(op)(c);
    TORCH_CHECK(c.results == nout, "the kernel gave ", c.results, " results, the caller wants ", nout);
    return BT_OK;
  } catch (const c10::OutOfMemoryError& e) {
    code = BT_OUT_OF_MEMORY;
    *err = bt::message(e.what_without_backtrace());
  } catch (const c10::Error& e) {
    std::string what = e.what_without_backtrace();
    code = what.find("can't allocate memory") != std::string::npos ? BT_OUT_OF_MEMORY : BT_ERROR;
    *err = bt::message(what);
  } catch (const std::bad_alloc&) {
    code = BT_OUT_OF_MEMORY;
    *err = bt::message("out of memory");
  } catch (const std::exception& e) {
    code = BT_ERROR;
    *err = bt::message(e.what());
  } catch (...) {
    code = BT_ERROR;
    *err = bt::message("unknown C++ exception");
  }
  bt_free(out, c.results);
  return code;
}

void bt_free(bt_tensor* t, int n) {
  for (int k = 0; k < n; k++) {
    if (!t[k]) continue;
    delete static_cast<at::Tensor*>(t[k]);
    t[k] = nullptr;
    bt::live--;
  }
}

int64_t bt_live(void) { return bt::live; }

void bt_worker_begin(int32_t id, int threads) {
  bt::worker = id;
  at::init_num_threads();
  if (threads > 0) at::set_num_threads(threads);
}

int32_t bt_worker(void) { return bt::worker; }

void bt_keep_memory(void) {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

int bt_threads(void) { return at::get_num_threads(); }

void bt_library(char* buf, size_t n) {
  Dl_info info;
  const char* path = "";
  if (dladdr(reinterpret_cast<void*>(&at::get_num_threads), &info) && info.dli_fname) path = info.dli_fname;
  strncpy(buf, path, n - 1);
  buf[n - 1] = 0;
}

const char* bt_version(void) { return TORCH_VERSION; }

uint64_t bt_loaded_version(void) { return aoti_torch_abi_version(); }
