// Package slowtest reports whether the slow cases of tests are enabled (build tag slow).
package slowtest
