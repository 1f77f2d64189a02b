//go:build !libtorch_dlopen

// Tiled attention with gated relative position bias, scores recomputed in the backward pass:
//
//	softmax(scale q k' + gate pos + mask) v
//
// Nothing of size (B, H, T, T) is stored between the forward and the backward pass. Fused attention
// kernels (scaled_dot_product_attention) give no gradient to the bias, which depends on the hidden
// states through its gate, so they cannot be used here.
#include <ATen/OpMathType.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "kernel.h"
#include "rows.h"

namespace bt {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Maybe = std::optional<Tensor>;

// wide is the type of scores, softmax and their gradients: f32 for bf16, else the operands' own. A
// score is an exponent, for which 8 bits are too few. The other products multiply in the operands'
// own type.
at::ScalarType wide(const Tensor& x) { return at::toOpMathType(x.scalar_type()); }

// emptyBTHD returns an uninitialised tensor of the shape of x (B, H, T, D) with strides of (B, T,
// H, D), so that heads are concatenated without a copy.
Tensor emptyBTHD(const Tensor& x) {
  return at::empty({x.size(0), x.size(2), x.size(1), x.size(3)}, x.options()).transpose(1, 2);
}

// Tile is the unit of computation: some heads of one clip, or all heads of some clips.
struct Tile {
  int64_t clip, clips, head, heads;
  int64_t score;  // index of its first score among the scores of all clips

  // of_heads returns the slice of x (H, ...) for this tile, of the slice of x (B, H, ...).
  Tensor of_heads(const Tensor& x) const { return x.slice(0, head, head + heads); }
  Tensor of(const Tensor& x) const { return x.slice(0, clip, clip + clips).slice(1, head, head + heads); }

  // flat returns the slice of x as (clips heads, ...), folded reverses it.
  Tensor flat(const Tensor& x) const { return of(x).flatten(0, 1); }
  Tensor folded(const Tensor& x) const { return x.unflatten(0, {clips, heads}); }
};

// limit returns the number of scores in a tile, unless one head has more: few on the CPU, to stay
// in a core's cache; many on a GPU, to keep it busy.
int64_t limit(const Tensor& x) { return x.is_cpu() ? 1 << 20 : 1 << 25; }

// forEachTile calls f for all tiles of queries q (B, H, T, D) and keys k (B, H, S, D). On the CPU,
// tiles run in parallel if `parallel`: operations this small gain little from threads of their own.
// The result for a head does not depend on the tiling.
template <typename F>
void forEachTile(const Tensor& q, const Tensor& k, bool parallel, const F& f) {
  const int64_t clips = q.size(0), heads = q.size(1), head = q.size(2) * k.size(2);  // scores of a head
  const bool threaded = q.is_cpu() && parallel;
  const int64_t threads = threaded ? at::get_num_threads() : 1, share = (clips * heads + threads - 1) / threads;
  const int64_t fit = limit(q) / std::max<int64_t>(head, 1);                         // heads within the limit
  const int64_t some = std::clamp<int64_t>(std::min(fit, share), 1, heads);          // heads of a tile
  const int64_t many = q.is_cpu() ? 1 : std::clamp<int64_t>(fit / heads, 1, clips);  // clips of a tile
  const int64_t across = (heads + some - 1) / some;
  auto run = [&](int64_t from, int64_t to) {
    const at::AutoDispatchBelowADInplaceOrView plain;  // threads have modes of their own
    const at::NoGradGuard no_history;
    for (int64_t n = from; n < to; n++) {
      const int64_t clip = n / across * many, first = n % across * some;
      f(Tile{clip, std::min(many, clips - clip), first, std::min(some, heads - first), (clip * heads + first) * head});
    }
  };
  const int64_t tiles = (clips + many - 1) / many * across;
  if (threaded)
    at::parallel_for(0, tiles, 1, run);
  else
    run(0, tiles);
}

// Bias is added to the scores. Each member may be undefined.
struct Bias {
  Tensor gate, pos, mask;  // (B, H, T, 1), (H, T, S), (B, 1, 1, S)

  // rows describes the scores of a tile, which on the CPU has one clip.
  Scores rows(const Tile& p, const Tensor& scores) const {
    auto at = [](const Tensor& x) { return x.defined() ? x.const_data_ptr<float>() : nullptr; };
    const Tensor none;
    return {scores.size(0) * scores.size(1), scores.size(2), at(gate.defined() ? p.of(gate) : none),
            at(pos.defined() ? p.of_heads(pos) : none), at(mask.defined() ? mask[p.clip] : none)};
  }
};

// contiguousAs returns x in type t and contiguous.
Tensor contiguousAs(const Tensor& x, at::ScalarType t) { return x.defined() ? x.to(t).contiguous() : x; }

// by_rows reports whether the kernels of rows.h apply.
bool by_rows(const Tensor& w) { return w.is_cpu() && w.scalar_type() == at::kFloat; }

// Weights are the attention weights (clips heads, T, S), in the wide type and in the operands' own.
struct Weights {
  Tensor wide, own;
};

// attentionWeights returns softmax(scale q k' + bias of tile p), for q (clips heads, T, D) and k
// (clips heads, S, D).
Weights attentionWeights(const Tensor& q, const Tensor& k, const Bias& bias, const Tile& p, double scale) {
  const auto t = wide(q), own = q.scalar_type();
  auto scores = at::bmm(q.to(t), k.to(t).transpose(1, 2));
  if (by_rows(scores)) {
    const auto narrow = own == t ? scores : at::empty(scores.sizes(), q.options());
    softmax_rows(scores.mutable_data_ptr<float>(), own == t ? nullptr : narrow.mutable_data_ptr<at::BFloat16>(),
                 static_cast<float>(scale), bias.rows(p, scores));
    return {scores, narrow};
  }
  auto x = p.folded(scores.mul_(scale));
  if (bias.gate.defined())
    x.addcmul_(p.of(bias.gate), p.of_heads(bias.pos));
  else if (bias.pos.defined())
    x.add_(p.of_heads(bias.pos));
  if (bias.mask.defined()) x.add_(bias.mask.slice(0, p.clip, p.clip + p.clips));
  const auto w = at::softmax(scores, -1);
  return {w, w.to(own)};
}

// softmaxBackward returns the gradients of the scores of tile p, in g's type, from the gradients g
// of the weights w. It writes the gradient of the gate to dgate (B, H, T, 1), unless dgate is
// undefined.
Tensor softmaxBackward(const Tensor& g, const Tensor& w, const Bias& bias, const Tile& p, const Tensor& dgate) {
  if (by_rows(w)) {
    const auto rows = bias.rows(p, w);
    auto* to = dgate.defined() ? p.of(dgate).mutable_data_ptr<float>() : nullptr;
    if (g.scalar_type() == at::kFloat)
      softmax_rows_backward(g.mutable_data_ptr<float>(), w.const_data_ptr<float>(), rows, to);
    else
      softmax_rows_backward(g.mutable_data_ptr<at::BFloat16>(), w.const_data_ptr<float>(), rows, to);
    return g;
  }
  const auto t = w.scalar_type();
  const auto d = at::_softmax_backward_data(g.to(t), w, -1, t);
  if (dgate.defined()) p.of(dgate).copy_((p.folded(d) * p.of_heads(bias.pos)).sum(-1, true));
  return d.to(g.scalar_type());
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
    const auto t = wide(q);
    const Bias bias{contiguousAs(given.gate, t), contiguousAs(given.pos, t), contiguousAs(given.mask, t)};
    auto o = emptyBTHD(q);
    forEachTile(q, k, true, [&](const Tile& p) {
      auto [w, own] = attentionWeights(p.flat(q), p.flat(k), bias, p, scale);
      if (drop > 0) own.mul_(survivors(own, drop, seed, p.score));
      p.of(o).copy_(p.folded(at::bmm(own, p.flat(v))));
    });
    if (drop > 0) o.mul_(survivor_gain(drop));
    ctx->save_for_backward({q, k, v, given.gate, given.pos, given.mask});
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["drop"] = drop;
    ctx->saved_data["seed"] = seed;
    return o;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto &q = saved[0], &k = saved[1], &v = saved[2], &gate = saved[3], &pos = saved[4];
    const double scale = ctx->saved_data["scale"].toDouble(), drop = ctx->saved_data["drop"].toDouble();
    const int64_t seed = ctx->saved_data["seed"].toInt();
    const bool need_gate = gate.defined() && ctx->needs_input_grad(3);
    const bool need_pos = pos.defined() && ctx->needs_input_grad(gate.defined() ? 4 : 3);  // absent ones have no number
    const auto t = wide(q);
    const Bias bias{contiguousAs(gate, t), contiguousAs(pos, t), contiguousAs(saved[5], t)};
    auto dq = emptyBTHD(q), dk = emptyBTHD(k), dv = emptyBTHD(v);
    const auto dgate = need_gate ? at::empty_like(bias.gate) : Tensor();
    const auto dpos = need_pos ? at::zeros_like(bias.pos) : Tensor();  // a sum over clips
    forEachTile(q, k, !need_pos, [&](const Tile& p) {
      const Tensor qp = p.flat(q), kp = p.flat(k), go = p.flat(grads[0]);
      auto [w, own] = attentionWeights(qp, kp, bias, p, scale);
      auto dw = at::bmm(go, p.flat(v).transpose(1, 2));
      if (drop > 0) {
        const auto gain = survivors(w, drop, seed, p.score).mul_(survivor_gain(drop));
        dw = (dw * gain).to(own.scalar_type());
        own = (w * gain).to(own.scalar_type());
      }
      p.of(dv).copy_(p.folded(at::bmm(own.transpose(1, 2), go)));
      const auto ds = softmaxBackward(dw, w, bias, p, dgate);
      p.of(dq).copy_(p.folded(at::bmm(ds, kp).mul_(scale)));
      p.of(dk).copy_(p.folded(at::bmm(ds.transpose(1, 2), qp).mul_(scale)));
      if (!need_pos) return;
      const auto d = p.folded(ds);
      p.of_heads(dpos).add_((gate.defined() ? d * p.of(bias.gate) : d).sum(0));
    });
    auto given = [](const Tensor& x, const Tensor& like) { return x.defined() ? x.to(like.scalar_type()) : x; };
    return {dq, dk, dv, given(dgate, gate), given(dpos, pos), Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

const Table kernels{
    {{"gated_attention", [](Call& c) {
        c.out(GatedAttention::apply(c.t(0), c.t(1), c.t(2), c.opt(3), c.opt(4), c.opt(5), c.f(0), c.f(1), c.i(0)));
      }}}};

}  // namespace
}  // namespace bt
