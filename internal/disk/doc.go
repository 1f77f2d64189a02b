// Package disk reads and changes what bwlm itself keeps on disk: the files of a run, the entries of a cache.
//
// A [Folder] is opened through os.Root. The folder may be reached by links, since a user names it; a name in it leads
// through real folders to a regular file, or the operation is refused ([Strange]): a link that somebody planted is
// neither followed nor written through, and no pipe makes a read wait.
//
// Each change of the file system is one step. Tests set [Step] to see the steps, to let one fail, or to end the process
// there.
package disk
