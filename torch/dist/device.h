// The C++ interface of the library by which large exchanges go between GPUs. It is a file of its own, bwlm_nccl's,
// since it is linked with libtorch_cuda, which the binding does without.
#pragma once
#include <ATen/ATen.h>

#include <chrono>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

struct dist_device {
  c10::intrusive_ptr<c10d::Backend> backend;
  at::Device place;  // of the tensors that it exchanges
};

// The library's only function. It connects the GPUs of all processes, of which this one has number index, and throws
// where it cannot.
using dist_device_open = dist_device (*)(const c10::intrusive_ptr<c10d::Store>& store, int rank, int world, int index,
                                         std::chrono::milliseconds most);
constexpr const char* dist_device_name = "bwlm_dist_device";
