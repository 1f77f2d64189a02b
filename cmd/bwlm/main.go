package main

import "os"

func main() {
	prepare(os.Args)
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, commands()))
}
