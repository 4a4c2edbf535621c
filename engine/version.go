package engine

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"sync"
)

// BuildVersion identifies the running program: a rebuilt program differs when
// and only when its code does. It is Go's own build id where the executable
// carries one, else the hash of the executable.
var BuildVersion = sync.OnceValues(func() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("identify this program: %w", err)
	}
	if id := buildID(path); id != "" {
		return digestBytes([]byte(id))[:16], nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("identify this program: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("identify this program: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
})

// buildID returns the build id that Go's linker put into an ELF executable.
func buildID(path string) string {
	f, err := elf.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	section := f.Section(".note.go.buildid")
	if section == nil {
		return ""
	}
	note, err := section.Data()
	if err != nil {
		return ""
	}
	return string(note)
}
