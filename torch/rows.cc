//go:build !libtorch_dlopen

// These loops do in one pass over a row what ATen does in several passes over all rows: a row of
// 200 keys stays in the first-level cache, the scores of a clip do not. The compiler builds the
// loops for several instruction sets, and the loader chooses.
#include "rows.h"

#include <algorithm>
#include <bit>
#include <cmath>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), optimize("O3")))
#define INLINE inline __attribute__((always_inline))
#else
#define EACH_PROCESSOR
#define INLINE inline
#endif

namespace bt {
namespace {

// exponential returns e^x for x <= 0 with a relative error of 1e-7, and 0 if e^x is subnormal. It
// uses x = n ln 2 + r with |r| <= ln 2 / 2 and the series of e^r. It has no call and no branch, so
// that the compiler can vectorise loops of it.
INLINE float exponential(float x) {
  constexpr float integral = 0x1.8p23f;        // a sum with it is an integer
  const float z = x * 1.44269504f + integral;  // n in its low bits
  const float n = z - integral;                //
  float r = x - n * 0.693359375f;              // ln 2 in two parts, the first of few digits,
  r += n * 2.12194440e-4f;                     // so that the product is exact
  const float series =
      1 +
      r * (1 + r * (1.f / 2 + r * (1.f / 6 + r * (1.f / 24 + r * (1.f / 120 + r * (1.f / 720 + r * (1.f / 5040)))))));
  const auto bits = std::bit_cast<uint32_t>(series) + (std::bit_cast<uint32_t>(z) << 23);  // times 2^n
  return x < -87 ? 0 : std::bit_cast<float>(bits) + (x - x);                               // NaN stays NaN
}

// load and store work on bits, so that the compiler can vectorise loops of them. A store rounds to
// nearest, ties to even.
INLINE float load(float x) { return x; }
INLINE float load(c10::BFloat16 x) { return std::bit_cast<float>(uint32_t{x.x} << 16); }
INLINE void store(float& to, float x) { to = x; }
INLINE void store(c10::BFloat16& to, float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  to.x = static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// softmax_backward is softmax_rows_backward for a type of g.
template <typename T>
INLINE void softmax_backward(T* g, const float* w, const Scores& s, float* gate) {
  const int64_t keys = s.keys;
  for (int64_t row = 0; row < s.rows; row++, g += keys, w += keys) {
    float mean = 0;
#pragma omp simd reduction(+ : mean)
    for (int64_t k = 0; k < keys; k++) mean += load(g[k]) * w[k];
    if (gate) {
      const float* pos = s.pos + row * keys;
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t k = 0; k < keys; k++) {
        const float d = (load(g[k]) - mean) * w[k];
        store(g[k], d);
        sum += d * pos[k];
      }
      gate[row] = sum;
    } else {
#pragma omp simd
      for (int64_t k = 0; k < keys; k++) store(g[k], (load(g[k]) - mean) * w[k]);
    }
  }
}

}  // namespace

EACH_PROCESSOR void softmax_rows(float* x, c10::BFloat16* narrow, float scale, const Scores& s) {
  const int64_t keys = s.keys,
                block = std::max<int64_t>(4096 / std::max<int64_t>(keys, 1), 1);  // rows in the first-level cache
  for (int64_t from = 0; from < s.rows; from += block, x += block * keys) {
    const int64_t rows = std::min(block, s.rows - from);
    for (int64_t row = 0; row < rows; row++) {
      float* y = x + row * keys;
      if (s.pos) {
        const float* pos = s.pos + (from + row) * keys;
        const float gate = s.gate ? s.gate[from + row] : 1;
#pragma omp simd
        for (int64_t k = 0; k < keys; k++) y[k] = scale * y[k] + gate * pos[k];
      } else {
#pragma omp simd
        for (int64_t k = 0; k < keys; k++) y[k] *= scale;
      }
      if (s.mask) {
#pragma omp simd
        for (int64_t k = 0; k < keys; k++) y[k] += s.mask[k];
      }
      float most = -INFINITY;
#pragma omp simd reduction(max : most)
      for (int64_t k = 0; k < keys; k++) most = y[k] > most ? y[k] : most;
#pragma omp simd
      for (int64_t k = 0; k < keys; k++) y[k] -= most;
    }
#pragma omp simd
    for (int64_t n = 0; n < rows * keys; n++) x[n] = exponential(x[n]);  // over all rows: few elements are left over
    for (int64_t row = 0; row < rows; row++) {
      float* y = x + row * keys;
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t k = 0; k < keys; k++) sum += y[k];
      const float share = 1 / sum;
#pragma omp simd
      for (int64_t k = 0; k < keys; k++) y[k] *= share;
      if (!narrow) continue;
#pragma omp simd
      for (int64_t k = 0; k < keys; k++) store(narrow[k], y[k]);
      narrow += keys;
    }
  }
}

EACH_PROCESSOR void softmax_rows_backward(float* g, const float* w, const Scores& s, float* gate) {
  softmax_backward(g, w, s, gate);
}

EACH_PROCESSOR void softmax_rows_backward(c10::BFloat16* g, const float* w, const Scores& s, float* gate) {
  softmax_backward(g, w, s, gate);
}

}  // namespace bt
