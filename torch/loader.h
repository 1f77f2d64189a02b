#pragma once
#include "shim.h"

// bt_open_libtorch loads the file libtorch_cpu.so at path. It returns NULL and the version as bt_loaded_version has it,
// 0 if the library does not tell it, or a malloc'ed message of the loader.
char* bt_open_libtorch(const char* path, uint64_t* version);

// bt_open loads the binding at path, and libtorch unless that is loaded. It returns NULL, or a malloc'ed message of the
// loader. It must return NULL before any other function of shim.h is called.
char* bt_open(const char* path);
