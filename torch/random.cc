//go:build !libtorch_dlopen

// Random numbers. Initial values for all devices are drawn on the CPU by libtorch's generator with
// an explicit seed, like in Python after torch.manual_seed, which uses the low 32 bits. Dropout
// masks come from a counter-based hash of integers, which is the same on all devices.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include "kernel.h"

namespace bt {
namespace {

// hashes_on returns hash of the numbers from `first` on a device. Its integers wrap around like
// unsigned ones.
Tensor hashes_on(const at::Device& device, uint64_t seed, int64_t first, int64_t n) {
  const auto signed_ = [](uint64_t x) { return static_cast<int64_t>(x); };
  auto z = at::arange(first + 1, first + n + 1, at::dtype(at::kLong).device(device))
               .mul_(signed_(0x9E3779B97F4A7C15ull))
               .add_(signed_(seed));
  auto mix = [&z](int shift) {
    z.bitwise_xor_(z.bitwise_right_shift(shift).bitwise_and_((int64_t{1} << (64 - shift)) - 1));
  };
  mix(30);
  z.mul_(signed_(0xBF58476D1CE4E5B9ull));
  mix(27);
  z.mul_(signed_(0x94D049BB133111EBull));
  mix(31);
  return z;
}

}  // namespace

Tensor survivors(const Tensor& x, double p, uint64_t seed, uint64_t offset) {
  const auto limit = static_cast<uint64_t>(p * 0x1p32);  // of the high half of a hash
  if (!x.is_cpu()) {
    const auto high = hashes_on(x.device(), seed, offset, x.numel()).bitwise_right_shift_(32).bitwise_and_(0xffffffff);
    return high.ge_(static_cast<int64_t>(limit)).to(x.scalar_type()).view(x.sizes());
  }
  auto mask = at::empty(x.sizes(), at::kBool);
  bool* m = mask.data_ptr<bool>();
  at::parallel_for(0, mask.numel(), 1 << 15, [&](int64_t from, int64_t to) {
    for (int64_t n = from; n < to; n++) m[n] = hash(seed, offset + n) >> 32 >= limit;
  });
  return mask.to(x.scalar_type());
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
