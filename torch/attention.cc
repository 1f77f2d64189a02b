// Exact attention with a gated position bias, softmax(s q k' + g P + mask) v, whose backward computes the scores
// again clip by clip: nothing of size (B, H, T, T) is kept. Fused kernels do not serve in the backward pass, since
// they give no gradient to the bias, which depends on the hidden states through its gate g.
#include <ATen/OpMathType.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "kernel.h"

namespace bt {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Maybe = std::optional<Tensor>;

// Scores, their softmax and what goes back through it are in this type: f32 for bf16, else the operands' own. A score
// is an exponent, and 8 bits would be too few. The other products multiply in the operands' own type.
at::ScalarType wide(const Tensor& x) { return at::toOpMathType(x.scalar_type()); }

// joined is room for x (B, H, T, D) in the order (B, T, H, D), so that heads join without a copy.
Tensor joined(const Tensor& x) {
  return at::empty({x.size(0), x.size(2), x.size(1), x.size(3)}, x.options()).transpose(1, 2);
}

// each calls f for every clip of x, on the CPU several at once: operations this small gain little from threads of their
// own. A clip's results do not depend on the others.
template <typename F>
void each(const Tensor& x, bool at_once, const F& f) {
  auto run = [&f](int64_t from, int64_t to) {
    const at::AutoDispatchBelowADInplaceOrView plain;  // threads have modes of their own
    const at::NoGradGuard no_history;
    for (int64_t b = from; b < to; b++) f(b);
  };
  if (x.is_cpu() && at_once)
    at::parallel_for(0, x.size(0), 1, run);
  else
    run(0, x.size(0));
}

// Bias is what is added to the scores of a clip; each part may be undefined.
struct Bias {
  Tensor gate, pos, mask;  // (B, H, T, 1), (H, T, S), (B, 1, 1, S)

  bool any() const { return pos.defined() || mask.defined(); }

  // of writes the bias of clip b to x (H, T, S).
  void of(int64_t b, Tensor& x) const {
    if (gate.defined())
      at::mul_out(x, gate[b], pos);
    else if (pos.defined())
      x.copy_(pos);
    else
      x.zero_();
    if (mask.defined()) x.add_(mask[b]);
  }
};

Tensor as(const Tensor& x, at::ScalarType t) { return x.defined() ? x.to(t) : x; }

// attend gives softmax(scale q k' + bias of clip b) in w (H, T, S); scores is room of the same size.
void attend(Tensor& w, Tensor& scores, const Tensor& q, const Tensor& k, const Bias& bias, int64_t b, double scale) {
  bias.of(b, scores);
  scores.baddbmm_(q, k.transpose(1, 2), 1, scale);
  at::softmax_out(w, scores, -1);
}

void check(const Tensor& q, const Tensor& k, const Tensor& v, const Bias& bias) {
  TORCH_CHECK(q.dim() == 4 && k.dim() == 4, "queries and keys must be (batch, heads, time, width)");
  const auto B = q.size(0), H = q.size(1), T = q.size(2), S = k.size(2);
  TORCH_CHECK(k.size(0) == B && k.size(1) == H && k.size(3) == q.size(3), "keys do not fit the queries");
  TORCH_CHECK(v.sizes() == k.sizes(), "values do not fit the keys");
  TORCH_CHECK(!bias.gate.defined() || bias.pos.defined(), "a gate needs a position bias");
  auto is = [](const Tensor& x, at::IntArrayRef s) { return !x.defined() || x.sizes() == s; };
  TORCH_CHECK(is(bias.gate, {B, H, T, 1}), "the gate must be (batch, heads, time, 1)");
  TORCH_CHECK(is(bias.pos, {H, T, S}), "the position bias must be (heads, time, time)");
  TORCH_CHECK(is(bias.mask, {B, 1, 1, S}), "the key mask must be (batch, 1, 1, time)");
}

struct GatedAttention : torch::autograd::Function<GatedAttention> {
  // q, k, v (B, H, T, D); gate (B, H, T, 1), pos (H, T, T) and mask (B, 1, 1, T) may be absent.
  static Tensor forward(AutogradContext* ctx, const Tensor& q, const Tensor& k, const Tensor& v, const Maybe& gate,
                        const Maybe& pos, const Maybe& mask, double scale, double drop, int64_t seed) {
    const Bias given{gate.value_or(Tensor()), pos.value_or(Tensor()), mask.value_or(Tensor())};
    check(q, k, v, given);
    const auto t = wide(q), own = q.scalar_type();
    const Bias bias{as(given.gate, t), as(given.pos, t), as(given.mask, t)};
    auto o = joined(q);
    each(q, true, [&](int64_t b) {
      auto scores = at::empty({q.size(1), q.size(2), k.size(2)}, q.options().dtype(t));
      if (drop > 0) {
        auto w = at::empty_like(scores);
        attend(w, scores, q[b].to(t), k[b].to(t), bias, b, scale);
        w.mul_(survivors(w, drop, seed, b * w.numel()));
        o[b].copy_(at::bmm(w.to(own), v[b]).mul_(survivor_gain(drop)));
        return;
      }
      if (q.is_cpu() && own != t) {  // the fused kernel does without bf16 products where there is no AMX
        auto w = at::empty_like(scores);
        attend(w, scores, q[b].to(t), k[b].to(t), bias, b, scale);
        o[b].copy_(at::bmm(w.to(own), v[b]));
        return;
      }
      if (bias.any()) bias.of(b, scores);
      o[b].copy_(at::scaled_dot_product_attention(q[b].unsqueeze(0), k[b].unsqueeze(0), v[b].unsqueeze(0),
                                                  bias.any() ? Maybe(scores.unsqueeze(0)) : std::nullopt, 0, false,
                                                  scale)[0]);
    });
    ctx->save_for_backward({q, k, v, given.gate, given.pos, given.mask, o});
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["drop"] = drop;
    ctx->saved_data["seed"] = seed;
    return o;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto &q = saved[0], &k = saved[1], &v = saved[2], &gate = saved[3], &pos = saved[4], &o = saved[6];
    const double scale = ctx->saved_data["scale"].toDouble(), drop = ctx->saved_data["drop"].toDouble();
    const int64_t seed = ctx->saved_data["seed"].toInt();
    const bool need_gate = gate.defined() && ctx->needs_input_grad(3);
    const bool need_pos = pos.defined() && ctx->needs_input_grad(gate.defined() ? 4 : 3);  // absent ones have no number
    const auto t = wide(q), own = q.scalar_type();
    const Bias bias{as(gate, t), as(pos, t), as(saved[5], t)};
    auto dq = joined(q), dk = joined(k), dv = joined(v);
    auto dgate = need_gate ? at::empty_like(gate) : Tensor();
    auto dpos = need_pos ? at::zeros_like(bias.pos) : Tensor();  // a sum over clips
    each(q, !need_pos, [&](int64_t b) {
      const Tensor qb = q[b], kb = k[b], go = grads[0][b];
      auto scores = at::empty({q.size(1), q.size(2), k.size(2)}, q.options().dtype(t));
      auto w = at::empty_like(scores);
      attend(w, scores, qb.to(t), kb.to(t), bias, b, scale);
      auto ds = at::bmm(go, v[b].transpose(1, 2)).to(t);
      if (drop > 0) {
        const auto keep = survivors(w, drop, seed, b * w.numel());
        ds.mul_(keep).mul_(survivor_gain(drop));
        at::mul_out(scores, w, keep);
        dv[b].copy_(at::bmm(scores.to(own).transpose(1, 2), go).mul_(survivor_gain(drop)));
      } else {
        dv[b].copy_(at::bmm(w.to(own).transpose(1, 2), go));
      }
      ds.sub_((go.to(t) * o[b]).sum(-1, true)).mul_(w);  // through the softmax
      const auto dn = ds.to(own);
      dq[b].copy_(at::bmm(dn, kb).mul_(scale));
      dk[b].copy_(at::bmm(dn.transpose(1, 2), qb).mul_(scale));
      if (need_gate) dgate[b].copy_(at::mul_out(scores, ds, bias.pos).sum(-1, true));
      if (need_pos && gate.defined()) dpos.addcmul_(ds, bias.gate[b]);
      if (need_pos && !gate.defined()) dpos.add_(ds);
    });
    return {dq, dk, dv, dgate, need_pos ? dpos.to(pos.scalar_type()) : dpos, Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

const Table kernels{
    {{"gated_attention", [](Call& c) {
        c.out(GatedAttention::apply(c.t(0), c.t(1), c.t(2), c.opt(3), c.opt(4), c.opt(5), c.f(0), c.f(1), c.i(0)));
      }}}};

}  // namespace
}  // namespace bt
