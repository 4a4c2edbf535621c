package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// open tells the one path that needs no credentials and no particular Host:
// what load balancers and MLflow clients ask first.
func open(r *http.Request) bool {
	return r.URL.Path == "/health" && r.URL.RawPath == "" &&
		(r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// headers are set on every answer: no sniffing, no framing by other sites.
func headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "SAMEORIGIN")
		return next(c)
	}
}

// guardHost refuses requests that name us by a foreign host. A browser whose
// DNS answer was changed under it (DNS rebinding) would otherwise hand a page
// of any site the run of a server that only listens on loopback.
func (s *Server) guardHost(addr *net.TCPAddr) echo.MiddlewareFunc {
	loopback := addr.IP.IsLoopback()
	anyHost := slices.Contains(s.AllowedHosts, "*") || !loopback && len(s.AllowedHosts) == 0
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if r := c.Request(); !anyHost && !open(r) && !s.knownHost(hostname(r.Host)) {
				return c.String(http.StatusForbidden, "Invalid Host header - possible DNS rebinding attack detected\n")
			}
			return next(c)
		}
	}
}

func (s *Server) knownHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return true
	}
	return slices.ContainsFunc(s.AllowedHosts, func(a string) bool { return strings.EqualFold(a, host) })
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

// guardOrigin refuses requests that change something and come from a page of
// another site: a browser sends them along with what it knows of us.
func guardOrigin(origins *http.CrossOriginProtection) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if origins.Check(c.Request()) != nil {
				return c.String(http.StatusForbidden, "Cross-origin request blocked\n")
			}
			return next(c)
		}
	}
}
