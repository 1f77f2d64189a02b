#pragma once
#include "dist.h"

// dist_load takes the functions from the binding at path, which is loaded. It returns NULL, or a malloc'ed message.
char* dist_load(const char* path);
