// Package contract tests conventions that hold for all packages: which errors a caller can match.
package contract
