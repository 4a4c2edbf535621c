package serve

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"
)

// record logs a request once it is answered, and answers 500 for a handler
// that panicked, so that one broken request ends neither the server nor, in
// silence, the connection. Queries and bodies are not logged.
func (s *Server) record(next echo.HandlerFunc) echo.HandlerFunc {
	log := s.log()
	return func(c echo.Context) (err error) {
		start, ctx := time.Now(), c.Request().Context()
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				log.ErrorContext(ctx, "handler panicked", "path", c.Request().URL.Path, "panic", p, "stack", string(debug.Stack()))
				if c.Response().Committed {
					panic(http.ErrAbortHandler) // half an answer must not pass for a whole one
				}
				err = echo.NewHTTPError(http.StatusInternalServerError)
			}
			if err != nil {
				c.Error(err)
				err = nil
			}
			level := slog.LevelDebug
			if status := c.Response().Status; status >= 500 && status != http.StatusServiceUnavailable {
				level = slog.LevelError
			}
			s.access(ctx, level, c, start)
		}()
		return next(c)
	}
}

func (s *Server) access(ctx context.Context, level slog.Level, c echo.Context, start time.Time) {
	if log := s.log(); log.Enabled(ctx, level) {
		r, w := c.Request(), c.Response()
		log.LogAttrs(ctx, level, "request", slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", w.Status), slog.Int64("bytes", w.Size), slog.Duration("took", time.Since(start)), slog.String("from", r.RemoteAddr))
	}
}

// answerError writes an error of the server itself (not of a mounted handler)
// in the JSON shape MLflow clients understand.
func answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status, message := http.StatusInternalServerError, "internal error; the server's log says more"
	if e := new(echo.HTTPError); errors.As(err, &e) && e.Code < 500 {
		status = e.Code
		if message, _ = e.Message.(string); message == "" {
			message = http.StatusText(status)
		}
	}
	code := map[int]string{
		http.StatusUnauthorized:          "UNAUTHENTICATED",
		http.StatusNotFound:              "ENDPOINT_NOT_FOUND",
		http.StatusInternalServerError:   "INTERNAL_ERROR",
		http.StatusMethodNotAllowed:      "BAD_REQUEST",
		http.StatusRequestEntityTooLarge: "REQUEST_LIMIT_EXCEEDED",
	}[status]
	c.JSON(status, map[string]string{"error_code": or(code, "BAD_REQUEST"), "message": message})
}
