// Exact attention with a gated position bias, softmax(s q k' + g P + mask) v, whose backward computes the scores
// again head by head: nothing of size (B, H, T, T) is kept. Fused kernels do not serve in the backward pass, since
// they give no gradient to the bias, which depends on the hidden states through its gate g.
#include <ATen/OpMathType.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

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

// Heads are some heads of a clip: what is computed at once, small enough that its scores stay in a core's cache.
struct Heads {
  int64_t clip, from, to;

  Tensor of(const Tensor& x) const { return x[clip].slice(0, from, to); }  // of x (B, H, ...)
  Tensor of_all(const Tensor& x) const { return x.slice(0, from, to); }    // of x (H, ...)
};

// kScores is how many scores are computed at once, if a head has no more.
constexpr int64_t kScores = 1 << 19;

// each calls f for all heads of x (B, H, T, D) with keys k (B, H, S, D), on the CPU several at once: operations this
// small gain little from threads of their own. What comes of one head does not depend on the others.
template <typename F>
void each(const Tensor& x, const Tensor& k, bool at_once, const F& f) {
  const int64_t heads = x.size(1), size = std::clamp<int64_t>(kScores / (x.size(2) * k.size(2)), 1, heads);
  const int64_t parts = (heads + size - 1) / size;
  auto run = [&](int64_t from, int64_t to) {
    const at::AutoDispatchBelowADInplaceOrView plain;  // threads have modes of their own
    const at::NoGradGuard no_history;
    for (int64_t n = from; n < to; n++) {
      const int64_t first = n % parts * size;
      f(Heads{n / parts, first, std::min(first + size, heads)});
    }
  };
  const int64_t all = x.size(0) * parts;
  if (x.is_cpu() && at_once)
    at::parallel_for(0, all, 1, run);
  else
    run(0, all);
}

// Bias is what is added to the scores of a clip; each part may be undefined.
struct Bias {
  Tensor gate, pos, mask;  // (B, H, T, 1), (H, T, S), (B, 1, 1, S)

  bool any() const { return pos.defined() || mask.defined(); }

  // of writes the bias of heads h to x (h, T, S).
  void of(const Heads& h, Tensor& x) const {
    if (gate.defined())
      at::mul_out(x, h.of(gate), h.of_all(pos));
    else if (pos.defined())
      x.copy_(h.of_all(pos));
    else
      x.zero_();
    if (mask.defined()) x.add_(mask[h.clip]);
  }
};

Tensor as(const Tensor& x, at::ScalarType t) { return x.defined() ? x.to(t) : x; }

// attend gives softmax(scale q k' + bias of heads h) in w (h, T, S); scores is room of the same size.
void attend(Tensor& w, Tensor& scores, const Tensor& q, const Tensor& k, const Bias& bias, const Heads& h,
            double scale) {
  bias.of(h, scores);
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
    const auto all = q.size(1) * q.size(2) * k.size(2);  // scores of a clip
    each(q, k, true, [&](const Heads& h) {
      const Tensor qh = h.of(q), kh = h.of(k), vh = h.of(v);
      auto oh = h.of(o);
      auto scores = at::empty({qh.size(0), q.size(2), k.size(2)}, q.options().dtype(t));
      if (drop == 0 && (own == t || !q.is_cpu())) {  // on the CPU the fused kernel has no products in bf16
        if (bias.any()) bias.of(h, scores);
        oh.copy_(at::scaled_dot_product_attention(qh.unsqueeze(0), kh.unsqueeze(0), vh.unsqueeze(0),
                                                  bias.any() ? Maybe(scores.unsqueeze(0)) : std::nullopt, 0, false,
                                                  scale)[0]);
        return;
      }
      auto w = at::empty_like(scores);
      attend(w, scores, qh.to(t), kh.to(t), bias, h, scale);
      if (drop > 0) w.mul_(survivors(w, drop, seed, h.clip * all + h.from * (all / q.size(1))));
      oh.copy_(at::bmm(w.to(own), vh));
      if (drop > 0) oh.mul_(survivor_gain(drop));
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
    const auto all = q.size(1) * q.size(2) * k.size(2);
    each(q, k, !need_pos, [&](const Heads& h) {
      const Tensor qh = h.of(q), kh = h.of(k), go = h.of(grads[0]);
      auto scores = at::empty({qh.size(0), q.size(2), k.size(2)}, q.options().dtype(t));
      auto w = at::empty_like(scores);
      attend(w, scores, qh.to(t), kh.to(t), bias, h, scale);
      auto ds = at::bmm(go, h.of(v).transpose(1, 2)).to(t);
      auto dvh = h.of(dv);
      if (drop > 0) {
        const auto keep = survivors(w, drop, seed, h.clip * all + h.from * (all / q.size(1)));
        ds.mul_(keep).mul_(survivor_gain(drop));
        at::mul_out(scores, w, keep);
        dvh.copy_(at::bmm(scores.to(own).transpose(1, 2), go).mul_(survivor_gain(drop)));
      } else {
        dvh.copy_(at::bmm(w.to(own).transpose(1, 2), go));
      }
      ds.sub_((go.to(t) * h.of(o)).sum(-1, true)).mul_(w);  // through the softmax
      const auto dn = ds.to(own);
      h.of(dq).copy_(at::bmm(dn, kh).mul_(scale));
      h.of(dk).copy_(at::bmm(dn.transpose(1, 2), qh).mul_(scale));
      if (need_gate) h.of(dgate).copy_(at::mul_out(scores, ds, h.of_all(bias.pos)).sum(-1, true));
      if (need_pos && gate.defined()) h.of_all(dpos).addcmul_(ds, h.of(bias.gate));
      if (need_pos && !gate.defined()) h.of_all(dpos).add_(ds);
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
