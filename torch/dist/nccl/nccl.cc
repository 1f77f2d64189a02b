// libbwlm_nccl.so, made by scripts/build_nccl.sh: the exchanges of package dist between GPUs, by c10d's own NCCL
// backend.
#define USE_DISTRIBUTED 1
#define USE_C10D_NCCL 1
#include <cstdlib>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "../device.h"

namespace {

// leave_the_process_alone keeps c10d's watchdogs from ending the process where a rank is late: package dist names the
// rank, and its caller decides.
void leave_the_process_alone() {
  setenv("TORCH_NCCL_ASYNC_ERROR_HANDLING", "2", 0);  // CleanUpOnly
  setenv("TORCH_NCCL_ENABLE_MONITORING", "0", 0);
  setenv("TORCH_NCCL_DUMP_ON_TIMEOUT", "0", 0);
}

}  // namespace

extern "C" dist_device bwlm_dist_device(const c10::intrusive_ptr<c10d::Store>& store, int rank, int world, int index,
                                        std::chrono::milliseconds most) {
  leave_the_process_alone();
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = most;
  auto nccl = c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, world, options);
  const at::Device place(at::kCUDA, static_cast<c10::DeviceIndex>(index));
  nccl->eagerConnectSingleDevice(place);
  return {nccl, place};
}
