package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// open tells the one path that needs no credentials: what load balancers and
// MLflow clients ask first.
func open(r *http.Request) bool { return asks(r, "/health") }

// asks tells whether r only reads the path, spelled just so.
func asks(r *http.Request, path string) bool {
	return r.URL.Path == path && r.URL.RawPath == "" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// headers are set on every answer: no sniffing, no framing by other sites.
func (s *Server) headers(next echo.HandlerFunc) echo.HandlerFunc {
	frames := or(s.FrameOptions, "SAMEORIGIN")
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-Content-Type-Options", "nosniff")
		if frames != "NONE" {
			h.Set("X-Frame-Options", frames)
		}
		return next(c)
	}
}

// guardHost refuses requests that name us by a foreign host. A browser whose
// DNS answer was changed under it (DNS rebinding) would otherwise hand a page
// of any site the run of a server that only listens on loopback, or only in a
// network that the site cannot reach. Such a page cannot know the token.
func (s *Server) guardHost(addr *net.TCPAddr) echo.MiddlewareFunc {
	loopback := addr.IP.IsLoopback()
	anyHost := slices.Contains(s.AllowedHosts, "*") || !loopback && s.Token != "" && len(s.AllowedHosts) == 0
	own, err := os.Hostname()
	if err != nil {
		own = "localhost"
	}
	own, _, _ = strings.Cut(own, ".")
	known := func(host string) bool {
		ip := net.ParseIP(strings.SplitN(host, "%", 2)[0])
		switch {
		case strings.EqualFold(host, "localhost"), ip != nil && ip.IsLoopback():
			return true
		case !loopback && ip != nil: // an address was not looked up, so nobody changed the answer
			return true
		case !loopback && !strings.EqualFold(own, "") && sameMachine(host, own):
			return true
		}
		return slices.ContainsFunc(s.AllowedHosts, func(allowed string) bool { return matches(allowed, host) })
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if !anyHost && !open(r) && !asks(r, "/version") && !known(hostname(r.Host)) {
				return c.String(http.StatusForbidden, "Invalid Host header - possible DNS rebinding attack detected\n")
			}
			return next(c)
		}
	}
}

// sameMachine tells whether host is this machine's name, alone or in the domain
// of its link (mDNS), which no other site can have.
func sameMachine(host, own string) bool {
	return strings.EqualFold(host, own) || strings.EqualFold(host, own+".local")
}

// matches compares a host with a pattern, in which * stands for anything; a
// port in the pattern does not matter.
func matches(pattern, host string) bool {
	pattern, host = strings.ToLower(hostname(pattern)), strings.ToLower(host)
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == host
	}
	host, found := strings.CutPrefix(host, parts[0])
	for _, part := range parts[1 : len(parts)-1] {
		if found {
			_, host, found = strings.Cut(host, part)
		}
	}
	return found && strings.HasSuffix(host, parts[len(parts)-1])
}

// hostname strips port and brackets of a Host header.
func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}

// authenticate wants the token of everything but /health.
func (s *Server) authenticate() echo.MiddlewareFunc {
	want := sha256.Sum256([]byte(s.Token))
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if s.Token == "" {
			return next
		}
		return func(c echo.Context) error {
			// Digests, so that the time tells neither content nor length.
			got := sha256.Sum256([]byte(credential(c.Request())))
			if open(c.Request()) || subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
				return next(c)
			}
			h := c.Response().Header()
			h.Add("WWW-Authenticate", `Basic realm="taximeter", charset="UTF-8"`)
			h.Add("WWW-Authenticate", `Bearer realm="taximeter"`)
			return echo.NewHTTPError(http.StatusUnauthorized, "a token is needed: as Authorization: Bearer TOKEN, or as the password of basic authentication")
		}
	}
}

// credential is the bearer token or basic password a request carries.
func credential(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return ""
}
