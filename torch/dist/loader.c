//go:build libtorch_dlopen

// The C interface of dist.h in a program that is not linked with libtorch: each function calls its namesake in the
// binding, which package torch has loaded from a file.
#include "loader.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static struct {
  int (*open)(const char*, int, int, int, const char*, int64_t, dist_group**, char**);
  int (*set)(dist_group*, const char*, const char*, char**);
  int (*get)(dist_group*, const char*, char**, char**);
  int (*connect)(dist_group*, int, int, const char*, const char*, int64_t, char**);
  int (*device_connect)(dist_group*, const char*, int, int64_t, char**);
  void (*device_leave)(dist_group*);
  int (*start)(dist_group*, int, int, const void*, const int64_t*, const int64_t*, int64_t, char**);
  int (*wait)(dist_group*, int64_t, char**);
  int (*take)(dist_group*, void*, int64_t, char**);
  void (*close)(dist_group*);
} binding;

char* dist_load(const char* path) {
  void* lib = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
  const struct {
    const char* name;
    void** to;
  } functions[] = {
      {"dist_open", (void**)&binding.open},
      {"dist_set", (void**)&binding.set},
      {"dist_get", (void**)&binding.get},
      {"dist_connect", (void**)&binding.connect},
      {"dist_device_connect", (void**)&binding.device_connect},
      {"dist_device_leave", (void**)&binding.device_leave},
      {"dist_start", (void**)&binding.start},
      {"dist_wait", (void**)&binding.wait},
      {"dist_take", (void**)&binding.take},
      {"dist_close", (void**)&binding.close},
  };
  for (size_t i = 0; lib && i < sizeof functions / sizeof *functions; i++)
    if (!(*functions[i].to = dlsym(lib, functions[i].name))) lib = NULL;
  if (lib) return NULL;
  const char* why = dlerror();
  return strdup(why ? why : "dlopen failed");
}

// Package dist calls none of these before dist_load has returned NULL.
int dist_open(const char* host, int port, int server, int world, const char* prefix, int64_t ms, dist_group** out,
              char** err) {
  return binding.open(host, port, server, world, prefix, ms, out, err);
}

int dist_set(dist_group* g, const char* key, const char* value, char** err) { return binding.set(g, key, value, err); }

int dist_get(dist_group* g, const char* key, char** value, char** err) { return binding.get(g, key, value, err); }

int dist_connect(dist_group* g, int rank, int world, const char* iface, const char* address, int64_t ms, char** err) {
  return binding.connect(g, rank, world, iface, address, ms, err);
}

int dist_device_connect(dist_group* g, const char* library, int index, int64_t ms, char** err) {
  return binding.device_connect(g, library, index, ms, err);
}

void dist_device_leave(dist_group* g) { binding.device_leave(g); }

int dist_start(dist_group* g, int what, int by_device, const void* in, const int64_t* send, const int64_t* receive,
               int64_t ms, char** err) {
  return binding.start(g, what, by_device, in, send, receive, ms, err);
}

int dist_wait(dist_group* g, int64_t ms, char** err) { return binding.wait(g, ms, err); }

int dist_take(dist_group* g, void* out, int64_t bytes, char** err) { return binding.take(g, out, bytes, err); }

void dist_close(dist_group* g) { binding.close(g); }
