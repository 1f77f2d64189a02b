// Command service answers audio over HTTP: it shows how to build bwlm into a program that serves many clients.
//
// With a finished run it answers a recording with the responses that a subject's voxels are expected to give; with a
// speech model alone, with that model's features:
//
//	service --run runs/alice-one --subject sub-18 &
//	curl --data-binary @story.flac http://localhost:8080/responses
//
//	service --model models/wavlm-base-plus --layer 9 &
//	curl --data-binary @story.flac http://localhost:8080/features
//
// The answer is a matrix with a row for each point in time: JSON {"seconds": [T], "columns": [V],
// "values": [[V] × T]}, or, with "Accept: application/octet-stream", a safetensors file with the
// tensors seconds, columns and values. An error is {"error": "..."} with a status that says whose
// fault it is. What predictions can be trusted for stands with brain.Predictor.
//
// What keeps it steady, and where:
//
//   - Threads: torch.Setup in main; package torch runs forward passes on a fixed number of workers, however many
//     requests there are.
//   - Memory: a request waits for a slot before its body is read, bodies and clips have a greatest size, and long clips
//     are read in batches.
//   - A client that leaves ends its own request between two operations, since all calls get the request's context.
//   - Close, or SIGTERM, ends the requests that run, waits for them, and frees the model.
package main
