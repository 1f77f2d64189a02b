// Package slowtest tells tests whether the slow cases are asked for (build tag slow).
package slowtest
