package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Folder is an open folder. Names in it are relative and may have several parts. Errors are those of package os, and
// [Strange].
type Folder struct{ root *os.Root }

// Open opens a folder that a user may name: it may be reached by links.
func Open(dir string) (*Folder, error) {
	info, err := os.Stat(dir) // before it is opened, which would wait for the writer of a pipe
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
	}
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{root}, nil
}

// In opens a folder, calls do with it and closes it.
func In(dir string, do func(*Folder) error) error {
	f, err := Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return do(f)
}

// Split returns the folder of a path and the name in it.
func Split(path string) (dir, name string) {
	dir, name = filepath.Split(filepath.Clean(path))
	if dir == "" {
		dir = "."
	}
	return filepath.Clean(dir), name
}

// Close closes the folder. Files that are open stay so.
func (f *Folder) Close() error { return f.root.Close() }

// Path is a place in the folder, for messages and for programs that need a path.
func (f *Folder) Path(name string) string { return filepath.Join(f.root.Name(), name) }

// Lstat returns what is at a name, which may be a link; the folders on the way to it are real ones.
func (f *Folder) Lstat(name string) (fs.FileInfo, error) {
	name = filepath.Clean(name)
	for i := range name {
		if name[i] != filepath.Separator {
			continue
		}
		info, err := f.root.Lstat(name[:i])
		if err != nil {
			return nil, err
		}
		if err := f.wantFolder(name[:i], info); err != nil {
			return nil, err
		}
	}
	return f.root.Lstat(name)
}

// wantFolder returns the error of what is at a name where a folder must be; nil for a folder.
func (f *Folder) wantFolder(name string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return nil
	case info.Mode().IsRegular():
		return &fs.PathError{Op: "open", Path: f.Path(name), Err: syscall.ENOTDIR}
	}
	return &Strange{f.Path(name), kindOf(info.Mode()), folder}
}

// regular is Lstat of a regular file.
func (f *Folder) regular(name string) (fs.FileInfo, error) {
	info, err := f.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = &Strange{f.Path(name), kindOf(info.Mode()), regular}
	}
	return info, err
}

// ReadDir lists a real folder; "." is the folder itself.
func (f *Folder) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := f.isFolder(name); err != nil {
		return nil, err
	}
	return fs.ReadDir(f.root.FS(), filepath.ToSlash(filepath.Clean(name)))
}

func (f *Folder) isFolder(name string) error {
	info, err := f.Lstat(name)
	if err != nil {
		return err
	}
	return f.wantFolder(name, info)
}

// Check returns an error if a name, or anything below it, is neither a regular file nor a real folder. Names that are
// not there are none.
func (f *Folder) Check(names ...string) error {
	for _, name := range names {
		info, err := f.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case info.IsDir():
			entries, err := f.ReadDir(name)
			if err != nil {
				return err
			}
			for _, e := range entries {
				if err := f.Check(filepath.Join(name, e.Name())); err != nil {
					return err
				}
			}
		case !info.Mode().IsRegular():
			return &Strange{f.Path(name), kindOf(info.Mode()), regular + " or folder"}
		}
	}
	return nil
}

// Create makes a new file.
func (f *Folder) Create(name string, perm fs.FileMode) (*File, error) {
	return f.create(name, os.O_WRONLY, perm)
}

func (f *Folder) create(name string, flag int, perm fs.FileMode) (*File, error) {
	if dir := filepath.Dir(name); dir != "." {
		if err := f.isFolder(dir); err != nil {
			return nil, err
		}
	}
	if err := step(OpCreate, f.Path(name)); err != nil {
		return nil, err
	}
	file, err := f.root.OpenFile(name, flag|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return nil, err
	}
	return &File{file}, nil
}

// OpenOrCreate opens a regular file for reading and writing, or makes one. With flag os.O_APPEND each write goes to its
// end.
func (f *Folder) OpenOrCreate(name string, flag int, perm fs.FileMode) (*File, error) {
	for {
		file, _, err := f.open(name, os.O_RDWR|flag)
		if err == nil {
			return &File{file}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		created, err := f.create(name, os.O_RDWR|flag, perm)
		if !errors.Is(err, fs.ErrExist) { // otherwise another process was faster
			return created, err
		}
	}
}

// Truncate cuts a regular file to a number of bytes.
func (f *Folder) Truncate(name string, size int64) error {
	file, _, err := f.open(name, os.O_WRONLY)
	if err != nil {
		return err
	}
	return errors.Join((&File{file}).Truncate(size), file.Close())
}

// Rename moves a file or folder to another name, and replaces what is there as rename(2) does.
func (f *Folder) Rename(from, to string) error {
	if err := step(OpRename, f.Path(to)); err != nil {
		return err
	}
	return f.root.Rename(from, to)
}

// Remove removes a file, a link or an empty folder.
func (f *Folder) Remove(name string) error {
	if err := step(OpRemove, f.Path(name)); err != nil {
		return err
	}
	return f.root.Remove(name)
}

// RemoveAll removes a name with all that is below it; a name that is not there is no error. Links are removed, not
// followed.
func (f *Folder) RemoveAll(name string) error {
	info, err := f.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		entries, err := f.ReadDir(name)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := f.RemoveAll(filepath.Join(name, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := f.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// MkdirAll makes a folder and those on the way to it, and syncs the folder of each new one.
func (f *Folder) MkdirAll(name string, perm fs.FileMode) error {
	name = filepath.Clean(name)
	err := f.isFolder(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(name)
	if parent != "." {
		if err := f.MkdirAll(parent, perm); err != nil {
			return err
		}
	}
	if err := f.Mkdir(name, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return f.SyncDir(parent)
}

// Mkdir makes a folder.
func (f *Folder) Mkdir(name string, perm fs.FileMode) error {
	if err := step(OpMkdir, f.Path(name)); err != nil {
		return err
	}
	return f.root.Mkdir(name, perm)
}

// Sync syncs a regular file. It does not retry: after a failed sync the kernel may have dropped the data.
func (f *Folder) Sync(name string) error {
	file, _, err := f.Open(name)
	if err != nil {
		return err
	}
	return errors.Join((&File{file}).Sync(), file.Close())
}

// SyncDir syncs a folder, so that the names in it survive a power cut; "." is the folder itself.
func (f *Folder) SyncDir(name string) error {
	if err := f.isFolder(name); err != nil {
		return err
	}
	file, err := f.root.Open(name)
	if err != nil {
		return err
	}
	err = errors.Join((&File{file}).Sync(), file.Close())
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil // some network file systems cannot sync a folder
	}
	return err
}

// SyncTree syncs the files and folders below a folder, each folder after what it holds, and the folder.
func (f *Folder) SyncTree(name string) error {
	entries, err := f.ReadDir(name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(name, e.Name())
		switch {
		case e.IsDir():
			err = f.SyncTree(path)
		case e.Type().IsRegular():
			err = f.Sync(path)
		}
		if err != nil {
			return err
		}
	}
	return f.SyncDir(name)
}

// Touch sets the times of a file.
func (f *Folder) Touch(name string, at time.Time) error {
	if err := step(OpTouch, f.Path(name)); err != nil {
		return err
	}
	return f.root.Chtimes(name, at, at)
}
