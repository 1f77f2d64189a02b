// Package tfevents writes scalars in the files that TensorBoard reads: events.out.tfevents.*.
//
// A file is a row of records (TensorFlow's TFRecord): length, CRC of the length, bytes, CRC of the bytes. The bytes are protocol
// buffers of the type Event (tensorflow/core/util/event.proto), of which only what scalars need is written. Each record goes out
// in one write, so that what a running training has done shows at once, and a killed one leaves at most its last record torn.
//
// # Going on
//
// TensorBoard reads the files of a folder in the order of their names as one row of events. A training that goes on from step s
// writes a new file that begins with a session's start at s+1 (see [Writer.Start]): readers then forget what earlier files say of
// step s+1 and later, of all tags. So a tag must be written at the step that it is known at, and tags that are known at other
// times belong into another folder.
package tfevents
