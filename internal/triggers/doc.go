// Package triggers reads reports of a stimulus program (.report): lines of a time in seconds and a label, of which
// init-trigger and trigger are the volumes of the scanner, and sound-start and sound-stop those of the recording.
//
// Triggers that the program missed are put in where a gap is longer than one and a half TRs, as ridge_utils.trfile
// does. A line through all triggers gives TR and the time of row 0.
package triggers
