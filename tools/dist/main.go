package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// options are the inputs of a package.
type options struct {
	binary   string
	bindings []string
	lock     string // of libtorch
	cache    string // of its wheels
	licence  string // bwlm's own
	python   string // the folder of the Python package
	version  string // such as v0.1.0-4-gabc1234
	platform string // tag of the wheel
	torches  string // versions of PyTorch that the wheel requires
	goTool   string
	out      string
	made     time.Time // of every file
}

func main() {
	path, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "dist: %v\n", err)
		os.Exit(1)
	}
	info, err := os.Stat(path)
	if err != nil {
		fmt.Fprintf(os.Stderr, "dist: %v\n", err)
		os.Exit(1)
	}
	fmt.Printf("%s\t%d MB\n", path, info.Size()>>20)
}

func run(args []string) (string, error) {
	if len(args) == 0 {
		return "", errors.New("usage: dist tarball|wheel -bin FILE -binding FILE ... -out DIR")
	}
	var o options
	flags := flag.NewFlagSet("dist", flag.ContinueOnError)
	flags.StringVar(&o.binary, "bin", "bin/bwlm", "the program")
	flags.Func("binding", "a binding of libtorch; may be given several times", func(s string) error {
		o.bindings = append(o.bindings, s)
		return nil
	})
	flags.StringVar(&o.lock, "lock", "third_party/libtorch.lock", "the pinned wheels of libtorch")
	flags.StringVar(&o.cache, "cache", "", "the folder that scripts/fetch_libtorch.sh --download printed")
	flags.StringVar(&o.licence, "licence", "LICENSE", "the licence of bwlm")
	flags.StringVar(&o.python, "python", "python/bwlm", "the Python package")
	flags.StringVar(&o.version, "version", "v0.0.0", "the version, as git describe prints it")
	flags.StringVar(&o.platform, "platform", "linux_x86_64", "the platform tag of the wheel")
	flags.StringVar(&o.torches, "torches", "", "the versions of PyTorch that the wheel requires, such as ==2.15.*")
	flags.StringVar(&o.goTool, "go", "go", "the go command")
	flags.StringVar(&o.out, "out", "out/dist", "where the package goes")
	if err := flags.Parse(args[1:]); err != nil {
		return "", err
	}
	made, err := sourceDate(os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return "", err
	}
	o.made = made
	if o.out, err = filepath.Abs(o.out); err != nil {
		return "", err
	}
	switch args[0] {
	case "tarball":
		return tarball(o)
	case "wheel":
		return wheel(o)
	}
	return "", fmt.Errorf("%s: unknown; tarball or wheel", args[0])
}

// sourceDate returns the time of SOURCE_DATE_EPOCH, which no file format here may put before 1980.
func sourceDate(seconds string) (time.Time, error) {
	least := time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	if seconds == "" {
		return least, nil
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	if at := time.Unix(n, 0).UTC(); at.After(least) {
		return at, nil
	}
	return least, nil
}
