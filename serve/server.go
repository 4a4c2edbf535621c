// Package serve puts HTTP handlers behind one address: it listens, guards
// (authentication, Host and Origin), bounds, logs and shuts down politely. It
// does not know what it serves: handlers live beside what they expose, and the
// command mounts them here.
package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"
)

// DefaultAddr is where MLflow clients look.
const DefaultAddr = "127.0.0.1:5000"

// Server is one listening address with handlers mounted on it. Only Mounts is
// needed; set the fields before Run and leave them alone after.
type Server struct {
	// Addr is the host:port to listen on; empty means DefaultAddr, port 0 a
	// free port. An address that is not loopback is refused unless Token or
	// Insecure is set.
	Addr string

	// Token, when set, is wanted by every path except /health: as a bearer
	// token, or as the password of basic authentication, which is how MLflow
	// clients and browsers send it (any user name).
	Token string

	// Insecure allows an address that is not loopback without a Token.
	Insecure bool

	// AllowedHosts are further names a client may use for this server in the
	// Host header, without port; * stands for anything. A server bound to
	// loopback answers only to loopback names and these; one bound elsewhere
	// also to addresses and the machine's name, and with a Token and no
	// AllowedHosts to any name.
	AllowedHosts []string

	// TrustedOrigins are origins other than the server's own whose pages may
	// send requests that change something, and read the answers (CORS), such as
	// "https://example.org" or "https://*.example.org"; "*" are all of them,
	// but then browsers send no credentials along.
	TrustedOrigins []string

	// FrameOptions is the header X-Frame-Options: DENY, or NONE for none; empty
	// means SAMEORIGIN.
	FrameOptions string

	Mounts []Mount

	// Stall is how long a client may pause while sending a body, however
	// long the whole takes; zero means one minute.
	Stall time.Duration

	// Grace is how long requests may go on after Run's context ends; zero
	// means 10 seconds.
	Grace time.Duration

	// Log gets each request at Debug and each failure of ours at Error; nil
	// is silent.
	Log *slog.Logger

	// Ready, when set, is called once the server accepts connections, with
	// its address as a URL ("http://127.0.0.1:5000"); the port is the bound one.
	Ready func(url string)
}

// Mount is a handler and the paths it answers. It sees the request's path
// unchanged.
type Mount struct {
	// Path is one path ("/predict"), or a whole subtree when it ends in a
	// slash ("/api/engine/v1/"). The longest match wins.
	Path string

	Handler http.Handler

	// MaxBody bounds request bodies, in bytes; zero means DefaultMaxBody, a
	// negative number leaves them unbounded, for uploads that are streamed.
	MaxBody int64
}

// Run listens and serves until ctx ends, then waits for running requests as
// long as Grace. It returns nil after such an end, and otherwise says why the
// server could not start or go on.
func (s *Server) Run(ctx context.Context) error {
	addr, err := s.resolve()
	if err != nil {
		return err
	}
	listener, err := net.ListenTCP("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use: another server (perhaps of ours) listens there; use --addr to choose another: %w", addr, err)
	}
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}

	server := &http.Server{
		Handler:           s.handler(addr),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    256 << 10,
		ErrorLog:          slog.NewLogLogger(s.log().Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if s.Ready != nil {
		s.Ready("http://" + listener.Addr().String())
	}
	select {
	case err := <-served:
		return fmt.Errorf("serve on %s: %w", addr, err)
	case <-ctx.Done():
	}

	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), or(s.Grace, 10*time.Second))
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		s.log().Warn("requests were cut off at shutdown", "after", or(s.Grace, 10*time.Second))
		server.Close()
	}
	return nil
}

// Check reports what Run would refuse about the fields, without listening.
func (s *Server) Check() error {
	_, err := s.resolve()
	return err
}

// resolve turns Addr into the one address to listen on, so that what is
// checked here and what is bound cannot differ.
func (s *Server) resolve() (*net.TCPAddr, error) {
	name := or(s.Addr, DefaultAddr)
	addr, err := net.ResolveTCPAddr("tcp", name)
	if err != nil {
		return nil, fmt.Errorf("resolve address %q (want host:port): %w", name, err)
	}
	if !addr.IP.IsLoopback() && s.Token == "" && !s.Insecure {
		return nil, fmt.Errorf("address %s is not loopback, so others could reach it: set a token (--token) or allow everybody in (--insecure)", name)
	}
	for _, o := range s.TrustedOrigins {
		if scheme, host, _ := strings.Cut(o, "://"); o != "*" && (scheme == "" || host == "" || strings.Contains(host, "/")) {
			return nil, fmt.Errorf("trusted origin %q: want scheme://host, with :port if it has one", o)
		}
	}
	return addr, nil
}

// handler is the router with everything around it, outermost first. The guards
// run before routing: no spelling of a path gets around them.
func (s *Server) handler(addr *net.TCPAddr) http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = answerError
	e.Pre(s.record, s.headers, s.guardHost(addr), guardOrigin(s.TrustedOrigins), s.authenticate())
	for _, m := range s.Mounts {
		path := m.Path
		if strings.HasSuffix(path, "/") {
			path += "*"
		}
		e.Any(path, echo.WrapHandler(m.Handler), limitBody(m.MaxBody, or(s.Stall, time.Minute)))
	}
	return e
}

func (s *Server) log() *slog.Logger { return or(s.Log, silent) }

var silent = slog.New(slog.DiscardHandler)

// or is v, or fallback when v is zero.
func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
