// Package pickle interprets Python pickles without running them.
//
// A pickle is a program: loading one in Python calls whatever it names (CVE-2025-32434 and CVE-2026-24747
// concern a loader that was meant to be safe). [Read] interprets the opcodes that a [Dialect] admits, which
// are those that plain values, arrays and tensors need. Its values are inert: nil, bool, int64, float64,
// string, [Bytes], [Tuple], [List], [Dict], [Global], and what the hooks of the dialect make. A name is never
// looked up; the dialect's list of names says which may occur, and its hooks say what a call of one stands
// for. Everything else is an error.
//
// A pickle is hostile until it has been read. The stack and the memo are bounded, a length is compared with
// what is left of the file before memory is set aside, and the memory of all values together can be bounded
// ([Dialect.Memory]). Bytes longer than [KeptBytes] are not kept: a value says where they are. The memo allows
// values that contain themselves or, in a few bytes, a million copies of others; who walks over a value bounds
// the depth and the number of steps.
//
// Protocols 0 and 1, out-of-band buffers, sets, integers of more than 64 bits and persistent names in text
// are not read.
package pickle
