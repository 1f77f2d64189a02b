//go:build !libtorch_dlopen

// x w' + b on the CPU, with oneDNN where it is faster. In f32, at::linear uses MKL, which leaves
// AVX-512 unused on processors that are not Intel's: there oneDNN is twice as fast (AMD EPYC 9005,
// 2 cores: 400 against 190 GFLOP/s). On Intel's processors MKL is as fast, and twice as fast for
// some transposed weights. Both sum in f32.
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>

#include "kernel.h"

namespace bt {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Maybe = std::optional<Tensor>;

// Pointwise is the operator that torch.compile uses, for dense tensors and a weight in any layout.
using Pointwise = Tensor(const Tensor&, const Tensor&, const Maybe&, std::string_view,
                         c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);

// one_dnn returns the operator, or nothing if libtorch was built without it.
const std::optional<c10::TypedOperatorHandle<Pointwise>>& one_dnn() {
  static const auto found = [] {
    std::optional<c10::TypedOperatorHandle<Pointwise>> typed;
    auto schema = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
    if (schema && at::hasMKLDNN()) typed = schema->typed<Pointwise>();
    return typed;
  }();
  return found;
}

Tensor multiply(const Tensor& x, const Tensor& w, const Maybe& b) {
  return one_dnn()->call(x, w, b, "none", c10::List<std::optional<at::Scalar>>(), "");
}

// With fewer multiplications than this, the set-up of oneDNN costs more time than it saves.
constexpr int64_t kMinFLOPs = 1 << 21;

// preferMKL reports whether MKL uses the full width of this processor.
bool preferMKL() {
#if defined(__x86_64__) && defined(__GNUC__)
  static const bool intel = at::hasMKL() && __builtin_cpu_is("intel");
  return intel;
#else
  return false;
#endif
}

// useOneDNN reports whether oneDNN is faster and the operands meet its preconditions. at::linear
// checks the others.
bool useOneDNN(const Tensor& x, const Tensor& w, const Maybe& b) {
  const auto type = x.scalar_type();
  auto plain = [type](const Tensor& t) { return t.is_cpu() && t.scalar_type() == type; };
  return (type == at::kBFloat16 || (type == at::kFloat && !preferMKL())) && w.dim() == 2 && x.dim() >= 2 &&
         x.size(-1) == w.size(1) && x.numel() * w.size(0) >= kMinFLOPs && plain(x) && plain(w) &&
         (!b || (plain(*b) && b->sizes() == at::IntArrayRef{w.size(0)})) && one_dnn();
}

struct Linear : torch::autograd::Function<Linear> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& w, const Maybe& b) {
    const bool tuned = w.requires_grad();  // the gradient of a frozen weight is not needed, so its input is not either
    ctx->save_for_backward({w, tuned ? x : Tensor()});
    ctx->saved_data["bias"] = b.has_value();
    return multiply(x, w, b);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    auto &w = saved[0], &x = saved[1];
    const Tensor& g = grads[0];
    const Tensor rows = g.reshape({-1, g.size(-1)});
    Tensor dx, dw, db;
    if (ctx->needs_input_grad(0)) dx = multiply(g, w.t(), std::nullopt);
    if (ctx->needs_input_grad(1)) dw = at::mm(rows.t(), x.reshape({-1, x.size(-1)}));
    if (ctx->saved_data["bias"].toBool() && ctx->needs_input_grad(2)) db = rows.sum(0);
    return {dx, dw, db};
  }
};

void linear(Call& c) {
  const Tensor &x = c.t(0), &w = c.t(1);
  const Maybe b = c.opt(2);
  c.out(useOneDNN(x, w, b) ? Linear::apply(x, w, b) : at::linear(x, w, b));
}

const Table kernels{{{"linear", linear}}};

}  // namespace
}  // namespace bt
