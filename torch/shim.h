// The C interface of package torch: one entry point to a table of kernels.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void* bt_tensor;  // at::Tensor*, or NULL for an absent optional
typedef uintptr_t bt_op;  // a kernel of the table

enum { BT_OK = 0, BT_ERROR = 1, BT_OUT_OF_MEMORY = 2, BT_WRONG_THREAD = 3 };
enum { BT_GRAD = 1 };  // flags: record for backward

// bt_lookup returns a kernel by name, 0 if there is none.
bt_op bt_lookup(const char* name);

// bt_call runs a kernel on the calling thread, which must be that of worker
// `worker` (0: any thread). Arguments are by position: tensors t, integers i,
// floats f, bytes buf. It writes nout new handles to out. On error it writes
// none, and *err is a malloc'ed message that the caller must free.
int bt_call(bt_op op, uint32_t flags, int32_t worker, const bt_tensor* t, int nt, const int64_t* i, int ni,
            const double* f, int nf, void* buf, size_t nbuf, bt_tensor* out, int nout, char** err);

// bt_free deletes handles. It skips NULL.
void bt_free(bt_tensor* t, int n);

// bt_live returns the number of handles that exist.
int64_t bt_live(void);

// bt_worker_begin makes the calling thread worker `id` and sets the size of its
// OpenMP team (0: libtorch's default). bt_worker returns the caller's number.
void bt_worker_begin(int32_t id, int threads);
int32_t bt_worker(void);

// bt_keep_memory makes malloc reuse the memory of freed tensors, from one arena,
// instead of mapping and unmapping each large tensor.
void bt_keep_memory(void);

// bt_threads returns the team size of the calling thread.
int bt_threads(void);

// bt_library writes the path of libtorch_cpu to buf. bt_load_cuda opens
// libtorch_cuda in the same folder; it returns NULL, or a malloc'ed message.
void bt_library(char* buf, size_t n);
char* bt_load_cuda(void);
int bt_cuda_devices(void);

// bt_version returns the version of libtorch that the kernels were compiled for, bt_loaded_version that of the
// library in this process: major, minor and patch in the three highest bytes.
const char* bt_version(void);
uint64_t bt_loaded_version(void);

#ifdef __cplusplus
}
#endif
