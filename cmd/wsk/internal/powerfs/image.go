package powerfs

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Image is the content of a disk: files by their paths, and folders by theirs
// with a slash at the end.
type Image map[string][]byte

// Write writes the image into a folder, with the modes that wsk gives its files.
func (m Image) Write(dir string) error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(m)) { // a folder before what is in it
		path := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			faults = append(faults, os.MkdirAll(path, 0o700))
		} else {
			faults = append(faults, os.WriteFile(path, m[name], 0o600))
		}
	}
	return errors.Join(faults...)
}

// each calls do for each file and folder, with a number of its own from 1 and the
// number of its folder, which is 0 for the root. A folder comes before what is in
// it, and the numbers are always the same.
func (m Image) each(do func(node, dir int, name string, data []byte, folder bool)) {
	folders := map[string]int{"": 0}
	for i, path := range slices.Sorted(maps.Keys(m)) {
		whole, folder := strings.CutSuffix(path, "/")
		parent, name := "", whole
		if slash := strings.LastIndexByte(whole, '/'); slash >= 0 {
			parent, name = whole[:slash+1], whole[slash+1:]
		}
		if folder {
			folders[path] = i + 1
		}
		do(i+1, folders[parent], name, m[path], folder)
	}
}
