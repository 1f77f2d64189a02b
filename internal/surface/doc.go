// Package surface holds the public API of the module to its size: its test lists the exported names
// of each package that other modules can import, counts them, and finds those that no other package
// of this module needs.
package surface
