// Stands in for libbwlm_nccl.so where there is no GPU: exchanges by a second Gloo, whose results show it. Bytes that
// are sent are inverted, and each process adds one to its addends. The GPU of number 7 does not exist.
#define USE_DISTRIBUTED 1
#define USE_C10D_GLOO 1
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "../device.h"

namespace {

struct StandIn : c10d::ProcessGroupGloo {
  using ProcessGroupGloo::ProcessGroupGloo;

  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<at::Tensor>& x, const c10d::AllreduceOptions& o) override {
    x[0].add_(1);
    return ProcessGroupGloo::allreduce(x, o);
  }
  c10::intrusive_ptr<c10d::Work> allgather(std::vector<std::vector<at::Tensor>>& out, std::vector<at::Tensor>& in,
                                           const c10d::AllgatherOptions& o) override {
    in[0].bitwise_not_();
    return ProcessGroupGloo::allgather(out, in, o);
  }
  c10::intrusive_ptr<c10d::Work> alltoall_base(at::Tensor& out, at::Tensor& in, std::vector<int64_t>& from,
                                               std::vector<int64_t>& to, const c10d::AllToAllOptions& o) override {
    in.bitwise_not_();
    return ProcessGroupGloo::alltoall_base(out, in, from, to, o);
  }
};

}  // namespace

extern "C" dist_device bwlm_dist_device(const c10::intrusive_ptr<c10d::Store>& store, int rank, int world, int index,
                                        std::chrono::milliseconds most) {
  TORCH_CHECK(index != 7, "there is no GPU of number 7");
  auto options = c10d::ProcessGroupGloo::Options::create(most);
  options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1"));
  return {c10::make_intrusive<StandIn>(store, rank, world, options), at::kCPU};
}
