// Package rowsource reads responses by rows or columns from files, opened by their headers.
package rowsource
