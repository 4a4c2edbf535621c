package serve

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Under fake time: who pauses for longer than Stall is not waited for; who is slow,
// but sends, is, and a handler may take as long as it likes.
func TestStall(t *testing.T) {
	for name, c := range map[string]struct {
		pause, work time.Duration // between two bytes, and once all are there
		want        int
	}{
		"pauses": {pause: 61 * time.Second, want: 400},
		"slow":   {pause: 59 * time.Second, want: 200},
		"works":  {work: time.Hour, want: 200},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reads := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if _, err := io.Copy(io.Discard, r.Body); err != nil {
						w.WriteHeader(400)
						return
					}
					select {
					case <-r.Context().Done():
						w.WriteHeader(499)
					case <-time.After(c.work):
					}
				})
				client := dial(t, &Server{Mounts: []Mount{{Path: "/", Handler: reads, MaxBody: -1}}})
				fmt.Fprint(client, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n")
				var sending sync.WaitGroup
				sending.Go(func() {
					for range 5 {
						if _, err := io.WriteString(client, "x"); err != nil {
							return // cut off
						}
						time.Sleep(c.pause)
					}
				})
				res, err := http.ReadResponse(bufio.NewReader(client), nil)
				if err != nil {
					t.Fatal(err)
				}
				if res.StatusCode != c.want {
					t.Errorf("%s, want %d", res.Status, c.want)
				}
				sending.Wait()
			})
		})
	}
}

// dial returns a connection to s in memory, where time may be fake.
func dial(t *testing.T, s *Server) net.Conn {
	client, end := net.Pipe()
	served := make(chan error, 1)
	server := &http.Server{Handler: s.handler(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5000})}
	l := &single{conns: make(chan net.Conn, 1)}
	l.conns <- end
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		client.Close()
		server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return client
}

// single is a listener with one connection.
type single struct{ conns chan net.Conn }

func (s *single) Accept() (net.Conn, error) {
	if conn, ok := <-s.conns; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (s *single) Close() error   { close(s.conns); return nil }
func (s *single) Addr() net.Addr { return &net.TCPAddr{} }
