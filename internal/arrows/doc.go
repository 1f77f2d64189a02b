// Package arrows holds the module's packages to the direction of dependency: its test reads the imports of
// every package by go list and compares them with a table of what each may import.
//
// The table is the architecture in a few lines. A new package needs a line there, and so does a new arrow;
// both are decisions, so they show in a review. Imports of test files are not looked at.
package arrows
