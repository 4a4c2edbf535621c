package serve

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// DefaultMaxBody is the most bytes of a request body, where its Mount does not
// say otherwise: well above the largest batch an MLflow client sends.
const DefaultMaxBody = 32 << 20

// limitBody bounds a request's body in size and its sender in patience. There
// is no limit on the whole time: an artifact may take an hour, but not pause.
func limitBody(most int64, stall time.Duration) echo.MiddlewareFunc {
	most = or(most, DefaultMaxBody)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r, w := c.Request(), c.Response().Writer
			if r.Body == http.NoBody {
				return next(c)
			}
			r.Body = &patient{ReadCloser: r.Body, conn: http.NewResponseController(w), stall: stall}
			if most > 0 {
				if r.ContentLength > most {
					return echo.NewHTTPError(http.StatusRequestEntityTooLarge,
						fmt.Sprintf("the body has %d bytes, at most %d are read here", r.ContentLength, most))
				}
				r.Body = http.MaxBytesReader(w, r.Body, most)
			}
			return next(c)
		}
	}
}

// patient is a body whose every read must bring something before stall is over.
type patient struct {
	io.ReadCloser
	conn  *http.ResponseController
	stall time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.conn.SetReadDeadline(time.Now().Add(p.stall)); err != nil {
		return 0, fmt.Errorf("bound the wait for the body: %w", err)
	}
	return p.ReadCloser.Read(b) // net/http lifts the deadline at the body's end
}
