// The arguments of a kernel, by position, and its results.
#pragma once
#include <ATen/ATen.h>

#include <cstring>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "shim.h"

#ifndef _OPENMP
#error "at::parallel_for would run on one thread: compile with -fopenmp, by g++ (clang's OpenMP is not libtorch's)"
#endif

namespace bt {

using at::Tensor;

struct Call {
  const bt_tensor* t_;
  int nt;
  const int64_t* i_;
  int ni;
  const double* f_;
  int nf;
  void* buf;
  size_t nbuf;
  bt_tensor* out_;
  int nout;
  int results = 0;

  Tensor& t(int n) const {
    TORCH_CHECK(n < nt && t_[n], "tensor argument ", n, " is missing");
    return *static_cast<Tensor*>(t_[n]);
  }
  bool has(int n) const { return n < nt && t_[n]; }
  std::optional<Tensor> opt(int n) const { return has(n) ? std::optional<Tensor>(t(n)) : std::nullopt; }
  std::vector<Tensor> list(int from, int to) const {
    std::vector<Tensor> v;
    for (int n = from; n < to; n++) v.push_back(t(n));
    return v;
  }
  int64_t i(int n) const {
    TORCH_CHECK(n < ni, "integer argument ", n, " is missing");
    return i_[n];
  }
  double f(int n) const {
    TORCH_CHECK(n < nf, "float argument ", n, " is missing");
    return f_[n];
  }
  at::IntArrayRef ints(int from = 0) const { return {i_ + from, size_t(ni - from)}; }
  void out(Tensor x);

  // write copies n values to the caller's buffer.
  template <typename T>
  void write(const T* values, size_t n) const {
    TORCH_CHECK(n * sizeof(T) <= nbuf, "the buffer holds ", nbuf, " bytes, ", n * sizeof(T), " are needed");
    std::memcpy(buf, values, n * sizeof(T));
  }
};

using Kernel = void (*)(Call&);

// Table adds kernels to the table of the library when the program starts.
struct Table {
  Table(std::initializer_list<std::pair<const char*, Kernel>> kernels);
};

// The order of Go's torch.DType.
inline at::ScalarType dtype(int64_t n) {
  static const at::ScalarType types[] = {at::kFloat, at::kDouble, at::kBFloat16, at::kLong, at::kBool};
  TORCH_CHECK(n >= 0 && n < 5, "unknown dtype ", n);
  return types[n];
}

// device -1 is the CPU, n >= 0 the CUDA device n.
inline at::Device device(int64_t n) {
  if (n < 0) return at::kCPU;
  TORCH_CHECK(at::hasCUDA(), "there is no CUDA device, or CUDA was not loaded");
  return {at::kCUDA, static_cast<c10::DeviceIndex>(n)};
}

// hash is random number n of draw `seed`. It is counter-based, so that it depends neither on
// threads nor on order: SplitMix64 (Steele, Lea and Flood 2014).
inline uint64_t hash(uint64_t seed, uint64_t n) {
  uint64_t z = seed + (n + 1) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// survivors returns the mask of dropout with probability p, 0 for dropped elements and 1 for
// others, like x in shape, type and device. Element n of x uses random number offset + n of draw
// `seed`. Other elements must be multiplied by survivor_gain.
Tensor survivors(const Tensor& x, double p, uint64_t seed, uint64_t offset);
inline double survivor_gain(double p) { return p < 1 ? 1 / (1 - p) : 0; }

}  // namespace bt
