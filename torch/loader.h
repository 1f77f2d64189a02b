#pragma once
#include "shim.h"

// bt_open loads the file libtorch ("": the one that the binding finds by itself) and then the binding at path. It
// returns NULL, or a malloc'ed message of the loader. It must return NULL before any other function is called.
char* bt_open(const char* libtorch, const char* path);
