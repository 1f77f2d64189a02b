// The C interface of package dist: a store of c10d and a group of processes over Gloo. The functions of the store and
// those of the group may run on two threads, each on one at a time.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dist_group dist_group;

// What a function returns. With all but OK and PENDING comes a malloc'ed message, which the caller must free.
enum { DIST_OK = 0, DIST_ERROR = 1, DIST_TIMEOUT = 2, DIST_LOST = 3, DIST_PENDING = 4 };

// Exchanges of bytes, and a sum of float32.
enum { DIST_GATHER = 0, DIST_EXCHANGE = 1, DIST_SUM = 2 };

// dist_open connects with the store at host:port, which it serves itself if server is set. Keys begin with prefix.
int dist_open(const char* host, int port, int server, int world, const char* prefix, int64_t ms, dist_group** out,
              char** err);
int dist_set(dist_group* g, const char* key, const char* value, char** err);
// dist_get gives the value of a key, NULL if it has none yet. The caller must free it.
int dist_get(dist_group* g, const char* key, char** value, char** err);

// dist_connect connects all processes with each other: by the network interface iface, or, if it is empty, by the one
// that has address.
int dist_connect(dist_group* g, int rank, int world, const char* iface, const char* address, int64_t ms, char** err);

// dist_device_connect connects the GPUs of all processes, by the library of device.h; index is this one's. It returns
// when all have called it. dist_device_leave takes that back.
int dist_device_connect(dist_group* g, const char* library, int index, int64_t ms, char** err);
void dist_device_leave(dist_group* g);

// dist_start begins an exchange of in, which it copies, between the processors or by_device. send and receive are
// numbers of bytes: one for a gather or a sum, and of an exchange those to and from each process. It fails after ms.
int dist_start(dist_group* g, int what, int by_device, const void* in, const int64_t* send, const int64_t* receive,
               int64_t ms, char** err);
// dist_wait waits at most so long for the end of the exchange.
int dist_wait(dist_group* g, int64_t ms, char** err);
// dist_take copies the result out.
int dist_take(dist_group* g, void* out, int64_t bytes, char** err);

// dist_close frees the group. One with an exchange that has not ended cannot be freed, and stays until the process
// ends.
void dist_close(dist_group* g);

#ifdef __cplusplus
}
#endif
