// Package tfevents writes scalars in the files that TensorBoard reads: events.out.tfevents.*.
//
// A file is a sequence of records (TensorFlow's TFRecord): length, CRC of the length, bytes, CRC of
// the bytes. The bytes are protocol buffers of the type Event (tensorflow/core/util/event.proto),
// with the fields that scalars need. Each record is written by one call, so that a running training
// shows at once, and a killed one leaves at most its last record incomplete.
//
// # Resuming
//
// TensorBoard reads the files of a folder in the order of their names as one sequence of events. A
// training that resumes from step s writes a new file that begins with a session start at s+1 (see
// [Writer.Start]): readers then drop what earlier files have for step s+1 and later, for all tags.
// So a tag must be written at the step at which it is known, and tags that are known at other times
// belong in another folder.
package tfevents
