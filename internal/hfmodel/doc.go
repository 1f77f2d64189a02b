// Package hfmodel reads and writes the folder of a model in Hugging Face's layout: the JSON of its configuration, and
// its weights with one error for all that does not fit. Families of encoders share it; the names of their parameters
// are theirs.
package hfmodel
