// Package inferencepb is the Open Inference Protocol v2 over gRPC: code that make proto generates from inference.proto,
// which has the names and field numbers of the public protocol, so that its clients work.
package inferencepb
