package main

import (
	"bytes"
	"testing"
	"time"
)

// A training that is killed goes on by itself where a server runs, and is forgotten
// when it is older than the server keeps runs.
func TestTheServerGoesOnWithWhatWasKilled(t *testing.T) {
	home := t.TempDir()
	s := startServer(t, home)
	if killAtLine(t, home, 6) {
		t.Fatal("the training ended before it was killed")
	}
	before := attempts(t, home)
	awaitServer(t, s, "the run to complete", func() bool {
		return bytes.Contains(taximeter(t, home, "flow-run", "inspect", "latest", "--json"), []byte(`"COMPLETED"`)) &&
			bytes.Contains(taximeter(t, home, "flow-run", "ls"), []byte("Completed"))
	})
	after := attempts(t, home)
	for key, n := range before {
		if after[key] != n {
			t.Errorf("%s had finished after %d attempts and now has %d", key, n, after[key])
		}
	}
	s.stop(t)

	time.Sleep(time.Second) // the least age
	s = startServer(t, home, "--keep-runs", "1s")
	awaitServer(t, s, "the run to be removed", func() bool { return !bytes.Contains(taximeter(t, home, "flow-run", "ls"), []byte("Completed")) })
	s.stop(t)
}

func awaitServer(t *testing.T, s *server, what string, done func() bool) {
	t.Helper()
	for begun := time.Now(); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > 5*time.Minute {
			t.Fatalf("waited five minutes for %s\n%s", what, s.log)
		}
	}
}
