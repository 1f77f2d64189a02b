// Package probing predicts properties of a stimulus from a representation of it, and reads word
// vectors. Package brain/probe and the demo are built on it.
package probing
