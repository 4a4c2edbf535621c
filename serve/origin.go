package serve

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// guardOrigin refuses requests that change something and come from a page of
// another site: a browser sends them along with what it knows of us. Pages of
// trusted origins may, and may read the answers.
func guardOrigin(trusted []string) echo.MiddlewareFunc {
	own := http.NewCrossOriginProtection()
	everybody := slices.Contains(trusted, "*")
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r, h := c.Request(), c.Response().Header()
			origin := r.Header.Get("Origin")
			trusts := origin != "" && (everybody || slices.ContainsFunc(trusted, func(t string) bool { return sameOrigin(t, origin) }))
			preflight := r.Method == http.MethodOptions && origin != "" && r.Header.Get("Access-Control-Request-Method") != ""
			if len(trusted) > 0 {
				h.Add("Vary", "Origin")
			}
			switch {
			case trusts:
				share(h, origin, everybody)
				if preflight {
					h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
					h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-MLFLOW-WORKSPACE")
					h.Set("Access-Control-Max-Age", "600")
					return c.NoContent(http.StatusNoContent)
				}
			case preflight && own.Check(post(r)) != nil:
				return c.String(http.StatusBadRequest, "Disallowed CORS origin\n")
			case own.Check(r) != nil:
				return c.String(http.StatusForbidden, "Cross-origin request blocked\n")
			}
			return next(c)
		}
	}
}

// share lets the origin's pages read the answer; with what the browser knows of
// us only if the operator has named the origin.
func share(h http.Header, origin string, everybody bool) {
	if everybody {
		h.Set("Access-Control-Allow-Origin", "*")
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
}

// post is the request that a preflight asks about.
func post(r *http.Request) *http.Request {
	asked := r.Clone(r.Context())
	asked.Method = http.MethodPost
	return asked
}

// sameOrigin compares an origin with a trusted one, whose host may have * in it.
func sameOrigin(trusted, origin string) bool {
	scheme, rest, ok := strings.Cut(trusted, "://")
	o, err := url.Parse(origin)
	if err != nil || !ok || !strings.EqualFold(scheme, o.Scheme) || o.User != nil || o.Path != "" {
		return false
	}
	port := ""
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, ']') {
		port = rest[i+1:]
	}
	return (port == "*" || port == o.Port()) && matches(strings.TrimSuffix(rest, "/"), o.Hostname())
}
