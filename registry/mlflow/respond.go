package mlflow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"syscall"

	"github.com/labstack/echo/v4"

	"github.com/taximeter/taximeter/registry"
)

const (
	methodNotAllowed  registry.Code = "METHOD_NOT_ALLOWED"
	resourceExhausted registry.Code = "RESOURCE_EXHAUSTED"
)

// statusOf returns the HTTP status of an error. A full disk is not 429 as other
// exhausted resources are, nor 500: MLflow's clients would ask again for minutes.
func statusOf(e *registry.Error) int {
	switch {
	case e.Code == methodNotAllowed:
		return http.StatusMethodNotAllowed
	case isFull(e):
		return http.StatusInsufficientStorage
	}
	return e.Code.Status()
}

// isFull tells of a disk, or of a user's share of one, that has no room.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// writeJSON answers with a value as MLflow prints it: indented by 2, unless it
// is long, and texts as they are. A nil value is {}.
func writeJSON(c echo.Context, value any) error {
	if value == nil {
		value = struct{}{}
	}
	if long, ok := value.(longAnswer); ok {
		return writeLong(c, long)
	}
	return blob(c, http.StatusOK, value, "  ")
}

// readable is the length of an answer, in bytes, from which on nobody reads it
// who would miss the indentation.
const readable = 1 << 14

func writeLong(c echo.Context, value longAnswer) error {
	text := value.appendJSON(nil)
	if len(text) < readable {
		var b bytes.Buffer
		if err := json.Indent(&b, text, "", "  "); err != nil {
			return err
		}
		text = b.Bytes()
	}
	return c.Blob(http.StatusOK, "application/json", text)
}

// blob answers with JSON in which texts are as they are.
func blob(c echo.Context, status int, value any, indent string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(value); err != nil {
		return err
	}
	return c.Blob(status, "application/json", bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// writeError answers with an error as MLflow prints it: spaces after colons and
// commas, as Python writes them.
func writeError(c echo.Context, e *registry.Error) error {
	status := statusOf(e)
	if c.Request().Method == http.MethodHead {
		return c.NoContent(status)
	}
	body := fmt.Appendf(nil, `{"error_code": %s, "message": %s`, quote(string(e.Code)), quote(e.Message))
	if sqlState, class := class(e.Code); class != "" {
		body = fmt.Appendf(body, `, "sqlstate": %s, "error_class": %s`, quote(sqlState), quote(class))
	}
	return c.Blob(status, "application/json", append(body, '}'))
}

// quote returns a text as JSON, with what HTML minds as it is.
func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // texts can always be encoded
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// class returns the two words that MLflow 3.17 adds to a code.
func class(code registry.Code) (sqlState, class string) {
	switch code {
	case registry.InvalidParameterValue, registry.BadRequest:
		return "KAM00", "INVALID_PARAMETER_VALUE"
	case registry.ResourceDoesNotExist, registry.EndpointNotFound:
		return "KAM00", "RESOURCE_NOT_FOUND"
	case registry.ResourceAlreadyExists:
		return "KAM00", "RESOURCE_ALREADY_EXISTS"
	case registry.PermissionDenied:
		return "KAM00", "PERMISSION_DENIED"
	case registry.InternalError, registry.InvalidState, registry.TemporarilyUnavailable:
		return "XXM00", "CLIENT_INTERNAL_ERROR"
	}
	return "", ""
}
