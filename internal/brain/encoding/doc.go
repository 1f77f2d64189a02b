// Package encoding is the encoding model of a study in one place: features of stories are read, made into rows of a
// design matrix, fitted by ridge regression to the responses of training rows, and correlated with held-out rows.
package encoding
