// Package fingerprint finds audio that two recordings have in common, whatever their names, containers, rates and
// levels are.
//
// A [Maker] reads the samples of a recording once, in blocks, and makes its [Print]: the SHA-256 of the samples,
// and 31.25 frames a second of one bit for each of 16 frequency bands: whether the band's energy rises or falls. A
// second word of bits marks the changes that are large; only these are compared. [Compare] finds stretches in which
// the large changes of two recordings agree. Silence and stationary sound (room tone, hiss, hum) have no large
// changes and never count.
//
// The bits are those of Haitsma and Kalker (2002, A highly robust audio fingerprinting system, ISMIR), with wider
// bands, which a shift of pitch by a few percent does not leave, and with the reliability of each bit kept next to
// it, so that noise removes bits from the comparison instead of turning them over.
package fingerprint
