//go:build slow

package main

const thorough = true
