package mlflow

import (
	"errors"
	"io"
	"sync"
)

// upload is a body that may have to be sent again. The transport may still read
// the body of a request that has failed, so each try has a body of its own, and
// only the latest one reads.
type upload struct {
	from io.Reader

	mu     sync.Mutex
	tries  int
	start  int64 // offset of from at the first try, if it seeks
	begun  bool  // something was read
	unread int   // what from has to give at the first try, if it says
}

// try returns a body that begins at the beginning.
func (u *upload) try() (io.ReadCloser, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.tries++
	seeker, seeks := u.from.(io.Seeker)
	var err error
	switch {
	case u.tries == 1:
		u.unread = -1
		if sized, ok := u.from.(interface{ Len() int }); ok {
			u.unread = sized.Len()
		}
		if seeks {
			u.start, err = seeker.Seek(0, io.SeekCurrent)
		}
	case u.begun && !seeks:
		err = errors.New("sent in part, and its reader cannot go back to the beginning")
	case u.begun:
		_, err = seeker.Seek(u.start, io.SeekStart)
	}
	return &uploadTry{u, u.tries}, err
}

// length returns how long the body is, -1 if it is not known.
func (u *upload) length() int64 { return int64(u.unread) }

// stop makes the bodies read no more.
func (u *upload) stop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.tries++
}

type uploadTry struct {
	of     *upload
	number int
}

func (t *uploadTry) Read(p []byte) (int, error) {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	if t.number != t.of.tries {
		return 0, errors.New("upload is over")
	}
	t.of.begun = true
	return t.of.from.Read(p)
}

func (t *uploadTry) Close() error { return nil }
