// Softmax of scores with a gated bias, forward and backward, on the CPU in f32.
#pragma once
#include <c10/util/BFloat16.h>

#include <cstdint>

namespace bt {

// Scores has the sizes of scores (rows, keys) and the parts of their bias, which may be null.
struct Scores {
  int64_t rows, keys;
  const float* gate;  // (rows): factor of pos
  const float* pos;   // (rows, keys)
  const float* mask;  // (keys)
};

// softmax_rows replaces products x (rows, keys) by softmax(scale x + gate pos + mask), and writes
// the result to narrow in bf16 unless narrow is null. A row whose keys are all masked is NaN.
void softmax_rows(float* x, c10::BFloat16* narrow, float scale, const Scores& s);

// softmax_rows_backward replaces the gradients g of the weights w, both (rows, keys), by those of
// the scores, w (g - sum over keys of g w), and writes the gradient of the gate (rows) unless gate
// is null.
void softmax_rows_backward(float* g, const float* w, const Scores& s, float* gate);
void softmax_rows_backward(c10::BFloat16* g, const float* w, const Scores& s, float* gate);

}  // namespace bt
