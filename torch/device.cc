// Devices beside the CPU, reached by what libtorch_cpu has: this library does not link libtorch_cuda, which is opened
// only where it is asked for.
#include <c10/core/CachingDeviceAllocator.h>
#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "kernel.h"

namespace bt {
namespace {

// exact makes CUDA compute as the CPU does, but for the order of sums: f32 in f32, not in the 10 bits of TF32, sums of
// bf16 in f32, and the same bits each time, so that a resumed training ends as one that was not stopped.
void exact() {
  auto& context = at::globalContext();
  context.setAllowTF32CuDNN(false);
  context.setAllowTF32CuBLAS(false);
  context.setAllowBF16ReductionCuBLAS(false);
  context.setBenchmarkCuDNN(false);
  context.setDeterministicCuDNN(true);
  context.setDeterministicAlgorithms(true, /*warn_only=*/true);  // what knows no such algorithm says so once
  context.setDeterministicFillUninitializedMemory(false);        // what at::empty gives is written before it is read
}

// synchronize waits until CUDA device i(0) has done what it was given.
void synchronize(Call& c) { at::detail::getCUDAHooks().deviceSynchronize(static_cast<c10::DeviceIndex>(c.i(0))); }

// peak_memory writes the most bytes that tensors on CUDA device i(0) took at one time.
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
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);  // products of cuBLAS have the same bits only with a fixed workspace
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
