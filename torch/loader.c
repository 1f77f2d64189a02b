//go:build libtorch_dlopen

// The C interface of shim.h in a program that is not linked with libtorch: each function calls its
// namesake in the binding, a shared library of the other sources of this folder that bt_open loads.
#define _GNU_SOURCE
#include "loader.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static struct {
  bt_op (*lookup)(const char*);
  int (*call)(bt_op, uint32_t, int32_t, const bt_tensor*, int, const int64_t*, int, const double*, int, void*, size_t,
              bt_tensor*, int, char**);
  void (*free)(bt_tensor*, int);
  int64_t (*live)(void);
  void (*worker_begin)(int32_t, int);
  int32_t (*worker)(void);
  void (*keep_memory)(void);
  int (*threads)(void);
  void (*library)(char*, size_t);
  char* (*load_cuda)(void);
  int (*cuda_devices)(void);
  const char* (*version)(void);
  uint64_t (*loaded_version)(void);
} binding;

static char* last_error(void) {
  const char* why = dlerror();
  return strdup(why ? why : "dlopen failed");
}

char* bt_open_libtorch(const char* path, uint64_t* version) {
  void* lib = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (!lib) return last_error();
  uint64_t (*abi)(void) = (uint64_t (*)(void))dlsym(lib, "aoti_torch_abi_version");
  *version = abi ? abi() : 0;
  return NULL;
}

char* bt_open(const char* path) {
  void* lib = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (!lib) return last_error();
  const struct {
    const char* name;
    void** to;
  } functions[] = {
      {"bt_lookup", (void**)&binding.lookup},
      {"bt_call", (void**)&binding.call},
      {"bt_free", (void**)&binding.free},
      {"bt_live", (void**)&binding.live},
      {"bt_worker_begin", (void**)&binding.worker_begin},
      {"bt_worker", (void**)&binding.worker},
      {"bt_keep_memory", (void**)&binding.keep_memory},
      {"bt_threads", (void**)&binding.threads},
      {"bt_library", (void**)&binding.library},
      {"bt_load_cuda", (void**)&binding.load_cuda},
      {"bt_cuda_devices", (void**)&binding.cuda_devices},
      {"bt_version", (void**)&binding.version},
      {"bt_loaded_version", (void**)&binding.loaded_version},
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    if (!(*functions[i].to = dlsym(lib, functions[i].name))) {
      char* why = last_error();
      memset(&binding, 0, sizeof binding);
      return why;
    }
  }
  return NULL;
}

bt_op bt_lookup(const char* name) { return binding.lookup ? binding.lookup(name) : 0; }

// Package torch does not call a kernel that bt_lookup did not find.
int bt_call(bt_op op, uint32_t flags, int32_t worker, const bt_tensor* t, int nt, const int64_t* i, int ni,
            const double* f, int nf, void* buf, size_t nbuf, bt_tensor* out, int nout, char** err) {
  return binding.call(op, flags, worker, t, nt, i, ni, f, nf, buf, nbuf, out, nout, err);
}

void bt_free(bt_tensor* t, int n) {
  if (binding.free) binding.free(t, n);
}

int64_t bt_live(void) { return binding.live ? binding.live() : 0; }

void bt_worker_begin(int32_t id, int threads) {
  if (binding.worker_begin) binding.worker_begin(id, threads);
}

int32_t bt_worker(void) { return binding.worker ? binding.worker() : 0; }

void bt_keep_memory(void) {
  if (binding.keep_memory) binding.keep_memory();
}

int bt_threads(void) { return binding.threads ? binding.threads() : 0; }

void bt_library(char* buf, size_t n) {
  if (binding.library)
    binding.library(buf, n);
  else if (n)
    *buf = 0;
}

char* bt_load_cuda(void) { return binding.load_cuda ? binding.load_cuda() : strdup("libtorch is not loaded"); }

int bt_cuda_devices(void) { return binding.cuda_devices ? binding.cuda_devices() : 0; }

const char* bt_version(void) { return binding.version ? binding.version() : ""; }

uint64_t bt_loaded_version(void) { return binding.loaded_version ? binding.loaded_version() : 0; }
