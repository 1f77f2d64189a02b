//go:build !libtorch_dlopen

// Kernels that are a line or two of ATen.
#include <torch/csrc/autograd/variable.h>

#include <cstring>

#include "kernel.h"

namespace bt {
namespace {

c10::OptionalArrayRef<int64_t> dims_or_all(at::IntArrayRef d) {
  return d.empty() ? c10::OptionalArrayRef<int64_t>() : c10::OptionalArrayRef<int64_t>(d);
}

const Table elementwise{{
    {"add", [](Call& c) { c.out(at::add(c.t(0), c.t(1))); }},
    {"sub", [](Call& c) { c.out(at::sub(c.t(0), c.t(1))); }},
    {"mul", [](Call& c) { c.out(at::mul(c.t(0), c.t(1))); }},
    {"div", [](Call& c) { c.out(at::div(c.t(0), c.t(1))); }},
    {"add_scalar", [](Call& c) { c.out(at::add(c.t(0), c.f(0))); }},
    {"mul_scalar", [](Call& c) { c.out(at::mul(c.t(0), c.f(0))); }},
    {"clamp_min", [](Call& c) { c.out(at::clamp_min(c.t(0), c.f(0))); }},
    {"exp", [](Call& c) { c.out(at::exp(c.t(0))); }},
    {"sqrt", [](Call& c) { c.out(at::sqrt(c.t(0))); }},
    {"rsqrt", [](Call& c) { c.out(at::rsqrt(c.t(0))); }},
    {"tanh", [](Call& c) { c.out(at::tanh(c.t(0))); }},
    {"sigmoid", [](Call& c) { c.out(at::sigmoid(c.t(0))); }},
    {"relu", [](Call& c) { c.out(at::relu(c.t(0))); }},
    {"selu", [](Call& c) { c.out(at::selu(c.t(0))); }},
    {"gelu", [](Call& c) { c.out(at::gelu(c.t(0), c.i(0) ? "tanh" : "none")); }},
    {"gt", [](Call& c) { c.out(at::gt(c.t(0), c.f(0))); }},
    {"where", [](Call& c) { c.out(at::where(c.t(0), c.t(1), c.t(2))); }},
    {"masked_fill", [](Call& c) { c.out(at::masked_fill(c.t(0), c.t(1), c.f(0))); }},
}};

const Table reductions{{
    {"sum", [](Call& c) { c.out(at::sum(c.t(0), dims_or_all(c.ints(1)), c.i(0) != 0)); }},
    {"mean", [](Call& c) { c.out(at::mean(c.t(0), dims_or_all(c.ints(1)), c.i(0) != 0)); }},
    {"softmax", [](Call& c) { c.out(at::softmax(c.t(0), c.i(0))); }},
    {"log_softmax", [](Call& c) { c.out(at::log_softmax(c.t(0), c.i(0))); }},
}};

const Table algebra{{
    {"matmul", [](Call& c) { c.out(at::matmul(c.t(0), c.t(1))); }},
    {"eigh",
     [](Call& c) {
       auto [values, vectors] = at::linalg_eigh(c.t(0));
       c.out(values);
       c.out(vectors);
     }},
    {"svd",
     [](Call& c) {
       auto [u, s, vh] = at::linalg_svd(c.t(0), false);
       c.out(u);
       c.out(s);
       c.out(vh);
     }},
    {"cholesky_inverse", [](Call& c) { c.out(at::cholesky_inverse(at::linalg_cholesky(c.t(0)))); }},
    {"qr",
     [](Call& c) {
       auto [q, r] = at::linalg_qr(c.t(0));
       c.out(q);
       c.out(r);
     }},
}};

const Table layers{{
    {"conv1d", [](Call& c) { c.out(at::conv1d(c.t(0), c.t(1), c.opt(2), {c.i(0)}, {c.i(1)}, {1}, c.i(2))); }},
    {"layer_norm", [](Call& c) { c.out(at::layer_norm(c.t(0), {c.t(0).size(-1)}, c.opt(1), c.opt(2), c.f(0))); }},
    {"group_norm", [](Call& c) { c.out(at::group_norm(c.t(0), c.i(0), c.opt(1), c.opt(2), c.f(0))); }},
}};

const Table shapes{{
    {"reshape", [](Call& c) { c.out(at::reshape(c.t(0), c.ints())); }},
    {"transpose", [](Call& c) { c.out(at::transpose(c.t(0), c.i(0), c.i(1))); }},
    {"narrow", [](Call& c) { c.out(at::narrow(c.t(0), c.i(0), c.i(1), c.i(2))); }},
    {"select", [](Call& c) { c.out(at::select(c.t(0), c.i(0), c.i(1))); }},
    {"unsqueeze", [](Call& c) { c.out(at::unsqueeze(c.t(0), c.i(0))); }},
    {"squeeze", [](Call& c) { c.out(at::squeeze(c.t(0), c.i(0))); }},
    {"expand", [](Call& c) { c.out(c.t(0).expand(c.ints())); }},
    {"contiguous", [](Call& c) { c.out(c.t(0).contiguous()); }},
    {"cat", [](Call& c) { c.out(at::cat(c.list(0, c.nt), c.i(0))); }},
    {"stack", [](Call& c) { c.out(at::stack(c.list(0, c.nt), c.i(0))); }},
    {"index_select", [](Call& c) { c.out(at::index_select(c.t(0), c.i(0), c.t(1))); }},
}};

const Table storage{{
    {"alias", [](Call& c) { c.out(c.t(0)); }},
    {"detach", [](Call& c) { c.out(c.t(0).detach()); }},
    {"clone", [](Call& c) { c.out(c.t(0).clone()); }},
    {"to", [](Call& c) { c.out(c.t(0).to(device(c.i(1)), dtype(c.i(0)))); }},
    {"zeros", [](Call& c) { c.out(at::zeros(c.ints(2), at::dtype(dtype(c.i(0))).device(device(c.i(1))))); }},
    {"full", [](Call& c) { c.out(at::full(c.ints(2), c.f(0), at::dtype(dtype(c.i(0))).device(device(c.i(1))))); }},
    {"from_bytes",
     [](Call& c) {
       const auto type = dtype(c.i(0));
       auto x = at::empty(c.ints(2), type == at::kBool ? at::kByte : type);
       TORCH_CHECK(x.nbytes() == c.nbuf, c.nbuf, " bytes given, the shape needs ", x.nbytes());
       if (c.nbuf) std::memcpy(x.data_ptr(), c.buf, c.nbuf);
       if (type == at::kBool) x = x.ne(0);  // a bool of another byte than 0 and 1 would be undefined behaviour
       c.out(x.to(device(c.i(1))));
     }},
    {"to_bytes",
     [](Call& c) {
       auto x = c.t(0).detach().to(at::kCPU).contiguous();
       c.write(static_cast<const char*>(x.data_ptr()), x.nbytes());
     }},
    {"describe",  // dtype, device, rank, dims...
     [](Call& c) {
       auto& x = c.t(0);
       std::vector<int64_t> d{-1, x.is_cuda() ? x.get_device() : -1, x.dim()};
       for (int64_t n = 0; n < 5; n++)
         if (dtype(n) == x.scalar_type()) d[0] = n;
       TORCH_CHECK(d[0] >= 0, "elements of type ", x.scalar_type(), " are not handled");
       for (auto s : x.sizes()) d.push_back(s);
       c.write(d.data(), d.size());
     }},
    {"item",
     [](Call& c) {
       double v = c.t(0).item<double>();
       c.write(&v, 1);
     }},
    {"copy_",
     [](Call& c) {
       TORCH_CHECK(c.t(0).sizes() == c.t(1).sizes(), "the shapes differ");
       c.t(0).detach().copy_(c.t(1));
     }},
    {"add_product", [](Call& c) { c.t(0).detach().addmm_(c.t(1), c.t(2)); }},
    {"set_data",
     [](Call& c) {
       TORCH_CHECK(c.t(0).sizes() == c.t(1).sizes(), "the shapes differ");
       c.t(0).set_data(c.t(1).detach());
     }},
    {"max_abs",  // in one pass, without a tensor |x|
     [](Call& c) {
       const auto [low, high] = at::aminmax(c.t(0));
       double v = at::maximum(low.neg(), high).item<double>();
       c.write(&v, 1);
     }},
    {"all_finite",
     [](Call& c) {
       int64_t v = at::isfinite(c.t(0)).all().item<bool>();
       c.write(&v, 1);
     }},
}};

const Table gradients{{
    {"require_grad", [](Call& c) { c.t(0).set_requires_grad(c.i(0) != 0); }},
    {"requires_grad",
     [](Call& c) {
       int64_t v = c.t(0).requires_grad();
       c.write(&v, 1);
     }},
    {"backward", [](Call& c) { c.t(0).backward(); }},
    {"has_grad",
     [](Call& c) {
       int64_t v = c.t(0).grad().defined();
       c.write(&v, 1);
     }},
    {"grad",
     [](Call& c) {
       TORCH_CHECK(c.t(0).grad().defined(), "no gradient: the tensor is frozen or did not take part in the loss");
       c.out(c.t(0).grad().detach());
     }},
    {"clear_grad",
     [](Call& c) {
       for (int n = 0; n < c.nt; n++) c.t(n).mutable_grad() = Tensor();
     }},
}};

}  // namespace
}  // namespace bt
