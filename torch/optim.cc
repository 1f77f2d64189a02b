//go:build !libtorch_dlopen

// Optimizer steps. One call updates all parameters, or none if it fails.
#include <torch/csrc/autograd/variable.h>

#include <map>

#include "kernel.h"

namespace bt {
namespace {

// Batch has the operands of one fused call: parameters of one type and device, their gradients and
// state.
struct Batch {
  std::vector<Tensor> param, grad, first, second, step, scattered;
};

// adam has the tensors params, first moments, second moments and step counts (f32 scalars), n of
// each; the floats lr, beta1, beta2, eps and weight decay; and the integer 1 for decoupled decay
// (AdamW). It skips a parameter without a gradient, like PyTorch.
void adam(Call& c) {
  const int n = c.nt / 4;
  std::map<std::pair<at::ScalarType, c10::DeviceIndex>, Batch> batches;
  for (int k = 0; k < n; k++) {
    const Tensor p = c.t(k).detach(), &g = c.t(k).grad(), &m = c.t(n + k), &v = c.t(2 * n + k), &step = c.t(3 * n + k);
    if (!g.defined()) continue;
    for (auto* x : {&m, &v})  // the fused kernels do not check this
      TORCH_CHECK(x->sizes() == p.sizes() && x->is_contiguous() && x->scalar_type() == p.scalar_type() &&
                      x->device() == p.device(),
                  "a moment of parameter ", k, " does not fit it");
    TORCH_CHECK(step.dim() == 0 && step.scalar_type() == at::kFloat, "the step count of parameter ", k, " is not f32");
    auto& b = batches[{p.scalar_type(), p.device().index()}];
    b.param.push_back(p.contiguous());
    b.scattered.push_back(p);
    b.grad.push_back(g.detach().contiguous());
    b.first.push_back(m);
    b.second.push_back(v);
    b.step.push_back(step);
  }
  const double lr = c.f(0), beta1 = c.f(1), beta2 = c.f(2), eps = c.f(3), decay = c.f(4);
  const auto fused = c.i(0) ? at::_ops::_fused_adamw_::call : at::_ops::_fused_adam_::call;
  for (auto& [_, b] : batches) {
    for (auto& s : b.step) s.add_(1);  // the fused kernels leave this to the caller
    fused(b.param, b.grad, b.first, b.second, {}, b.step, lr, beta1, beta2, decay, eps, false, false, {}, {});
    for (size_t k = 0; k < b.param.size(); k++)
      if (!b.scattered[k].is_contiguous()) b.scattered[k].copy_(b.param[k]);
  }
}

const Table kernels{{{"adam", adam}}};

}  // namespace
}  // namespace bt
