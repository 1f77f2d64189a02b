//go:build !libtorch_dlopen

// CUDA, through the interfaces of libtorch_cpu. The program does not link libtorch_cuda;
// bt_load_cuda opens it.
#include <c10/core/CachingDeviceAllocator.h>
#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "kernel.h"

namespace bt {
namespace {

// exact makes CUDA compute like the CPU, but for the order of sums: f32 in f32 instead of TF32,
// whose products have 10 bits; sums of bf16 in f32; and deterministic algorithms, so that a resumed
// training ends like one without a break.
void exact() {
  auto& context = at::globalContext();
  context.setAllowTF32CuDNN(false);
  context.setAllowTF32CuBLAS(false);
  context.setAllowBF16ReductionCuBLAS(false);
  context.setBenchmarkCuDNN(false);
  context.setDeterministicCuDNN(true);
  context.setDeterministicAlgorithms(true, /*warn_only=*/true);  // an operation without one warns once
  context.setDeterministicFillUninitializedMemory(false);        // memory of at::empty is written before it is read
}

// synchronize waits until CUDA device i(0) has finished all operations.
void synchronize(Call& c) { at::detail::getCUDAHooks().deviceSynchronize(static_cast<c10::DeviceIndex>(c.i(0))); }

// peak_memory writes the peak size of the tensors on CUDA device i(0), in bytes.
void peak_memory(Call& c) {
  using c10::CachingAllocator::StatType;
  const auto stats = c10::getDeviceAllocator(at::kCUDA)->getDeviceStats(static_cast<c10::DeviceIndex>(c.i(0)));
  const int64_t bytes = stats.allocated_bytes[static_cast<size_t>(StatType::AGGREGATE)].peak;
  c.write(&bytes, 1);
}

const Table kernels{{{"synchronize", synchronize}, {"peak_memory", peak_memory}}};

}  // namespace
}  // namespace bt

char* bt_load_cuda(void) {
  char path[4096];
  bt_library(path, sizeof path);
  std::string lib(path);
  lib = lib.substr(0, lib.rfind('/') + 1) + "libtorch_cuda.so";
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);  // without a fixed workspace cuBLAS is not deterministic
  if (dlopen(lib.c_str(), RTLD_NOW | RTLD_GLOBAL)) {
    bt::exact();
    return nullptr;
  }
  const char* why = dlerror();
  return strdup(why ? why : (lib + ": cannot be loaded").c_str());
}

int bt_cuda_devices(void) {
  try {
    return at::hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().deviceCount()) : 0;
  } catch (...) {
    return 0;
  }
}
