// Package decimal formats numbers for tables and pages: what rounds to zero is printed as zero, without a sign.
package decimal

import (
	"math"
	"strconv"
	"strings"
)

// Text returns v with n decimals.
func Text(v float64, n int) string {
	text := strconv.FormatFloat(v, 'f', n, 64)
	if strings.Trim(text, "-0.") == "" {
		return strings.TrimPrefix(text, "-")
	}
	return text
}

// Signed is Text with a plus before numbers above zero.
func Signed(v float64, n int) string {
	text := Text(v, n)
	if v > 0 && strings.Trim(text, "0.") != "" && !math.IsInf(v, 1) {
		return "+" + text
	}
	return text
}
