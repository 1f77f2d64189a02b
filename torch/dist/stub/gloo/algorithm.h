// Stands in for Gloo's own header; see context.h.
#pragma once
