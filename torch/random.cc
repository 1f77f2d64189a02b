// Random numbers. Initial values come from libtorch's CPU generator of an explicit seed, as in Python after
// torch.manual_seed (of which it takes the low 32 bits); dropout masks from a counter-based hash. Both are drawn on
// the CPU, so that a device draws the same.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include "kernel.h"

namespace bt {

Tensor survivors(const Tensor& x, double p, uint64_t seed, uint64_t offset) {
  auto mask = at::empty(x.sizes(), at::kBool);
  bool* m = mask.data_ptr<bool>();
  const auto limit = static_cast<uint64_t>(p * 0x1p32);
  at::parallel_for(0, mask.numel(), 1 << 15, [&](int64_t from, int64_t to) {
    for (int64_t n = from; n < to; n++) m[n] = hash(seed, offset + n) >> 32 >= limit;
  });
  return mask.to(x.device()).to(x.scalar_type());
}

namespace {

at::Generator generator(Call& c) { return at::detail::createCPUGenerator(static_cast<uint64_t>(c.i(0))); }

const Table kernels{{
    {"dropout",
     [](Call& c) {
       auto& x = c.t(0);
       c.out(x.mul(survivors(x, c.f(0), c.i(0), 0)).mul(survivor_gain(c.f(0))));
     }},
    {"uniform",
     [](Call& c) {
       c.out(at::empty(c.ints(2), at::kFloat).uniform_(c.f(0), c.f(1), generator(c)).to(device(c.i(1))));
     }},
    {"normal",
     [](Call& c) { c.out(at::empty(c.ints(2), at::kFloat).normal_(c.f(0), c.f(1), generator(c)).to(device(c.i(1)))); }},
}};

}  // namespace
}  // namespace bt
