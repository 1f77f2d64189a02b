// Package grpcapi answers the Open Inference Protocol v2 over gRPC for a server of package serve, with grpc.health.v1
// and
// reflection. It is a package of its own, so that programs that embed a server without gRPC do not get its modules:
//
//	err := server.Serve(ctx, grpcapi.Front(server, cfg), nil)
//
// # Caveats
//
// The messages are registered under the package name inference, as those of other programs that were generated from the
// protocol. A program cannot have two of them.
package grpcapi
