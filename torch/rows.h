// Softmax of scores with a gated bias, and the way back through it, on the CPU in f32.
#pragma once
#include <c10/util/BFloat16.h>

#include <cstdint>

namespace bt {

// Scores are rows of one score for each key, and what is added to them; each part but the sizes may be null.
struct Scores {
  int64_t rows, keys;
  const float* gate;  // (rows): factor of pos
  const float* pos;   // (rows, keys)
  const float* mask;  // (keys)
};

// softmax_rows turns products x (rows, keys) into softmax(scale x + gate pos + mask), and writes it to narrow in bf16
// unless that is null. A row without a key is NaN.
void softmax_rows(float* x, c10::BFloat16* narrow, float scale, const Scores& s);

// softmax_rows_backward turns gradients g of the weights w, both (rows, keys), into those of the scores, w times g less
// the mean of g by w; and writes the gradient of the gate (rows) unless that is null.
void softmax_rows_backward(float* g, const float* w, const Scores& s, float* gate);
void softmax_rows_backward(c10::BFloat16* g, const float* w, const Scores& s, float* gate);

}  // namespace bt
