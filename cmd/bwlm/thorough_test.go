//go:build !slow

package main

// thorough says whether tests go through every case (make slow), or through a few of each kind.
const thorough = false
