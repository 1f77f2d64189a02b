// Package testnum makes deterministic numbers for tests.
package testnum
