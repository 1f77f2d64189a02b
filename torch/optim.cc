// Optimizer steps: one kernel call changes all parameters, or none.
#include <torch/csrc/autograd/variable.h>

#include <map>

#include "kernel.h"

namespace bt {
namespace {

// Batch is what one fused call updates: parameters of one type and device, and what belongs to them.
struct Batch {
  std::vector<Tensor> param, grad, first, second, step, scattered;
};

// adam: tensors are params, first moments, second moments, step counts (f32 scalars), n of each.
// Floats: lr, beta1, beta2, eps, weight decay. Integer 0: decoupled decay (AdamW). A parameter without a
// gradient is passed over, as in PyTorch.
void adam(Call& c) {
  const int n = c.nt / 4;
  std::map<std::pair<at::ScalarType, c10::DeviceIndex>, Batch> batches;
  for (int k = 0; k < n; k++) {
    const Tensor p = c.t(k).detach(), &g = c.t(k).grad(), &m = c.t(n + k), &v = c.t(2 * n + k), &step = c.t(3 * n + k);
    if (!g.defined()) continue;
    for (auto* x : {&m, &v})  // the fused kernels take this for granted
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
    for (auto& s : b.step) s.add_(1);  // the fused kernels leave the counts to their caller
    fused(b.param, b.grad, b.first, b.second, {}, b.step, lr, beta1, beta2, decay, eps, false, false, {}, {});
    for (size_t k = 0; k < b.param.size(); k++)
      if (!b.scattered[k].is_contiguous()) b.scattered[k].copy_(b.param[k]);
  }
}

// clip_grad_norm scales all gradients so that their joint 2-norm is at most f(0), and writes the norm before. The sum
// is in f64 and leaves its device once.
void clip_grad_norm(Call& c) {
  std::vector<Tensor> g;
  Tensor sum;
  for (int k = 0; k < c.nt; k++) {
    if (!c.t(k).grad().defined()) continue;
    g.push_back(c.t(k).mutable_grad());
    auto square = at::linalg_vector_norm(g.back(), 2, std::nullopt, false, at::kDouble).square();
    sum = sum.defined() ? sum.add(square.to(sum.device())) : square;
  }
  const double total = sum.defined() ? std::sqrt(sum.item<double>()) : 0;
  const double scale = c.f(0) / (total + 1e-6);  // torch.nn.utils.clip_grad_norm_ has the same epsilon
  if (scale < 1)
    for (auto& x : g) x.mul_(scale);
  c.write(&total, 1);
}

const Table kernels{{{"adam", adam}, {"clip_grad_norm", clip_grad_norm}}};

}  // namespace
}  // namespace bt
