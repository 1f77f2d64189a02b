// Package openinference is the wire form of the Open Inference Protocol v2 over HTTP: requests and responses as JSON,
// and
// with its extension for binary tensors, in which the elements follow the JSON as little-endian bytes. Server and
// client
// share it. What it decodes comes from strangers: sizes are compared before memory is allocated, and errors are of kind
// Usage.
package openinference
