// Stands in for Gloo's own header, which no wheel of PyTorch has. ProcessGroupGloo.hpp needs it for pointers to a
// context, and calls setTimeout in a function that nothing here uses.
#pragma once
#include <chrono>

namespace gloo {
class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};
}  // namespace gloo
