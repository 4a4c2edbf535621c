package registry

import (
	"errors"
	"fmt"
	"net/http"
)

// Code says what kind of mistake an Error is, by MLflow's names.
type Code string

// The codes that we give; a remote server may give others.
const (
	InvalidParameterValue  Code = "INVALID_PARAMETER_VALUE"
	BadRequest             Code = "BAD_REQUEST"
	ResourceDoesNotExist   Code = "RESOURCE_DOES_NOT_EXIST"
	ResourceAlreadyExists  Code = "RESOURCE_ALREADY_EXISTS"
	EndpointNotFound       Code = "ENDPOINT_NOT_FOUND"
	PermissionDenied       Code = "PERMISSION_DENIED"
	Unauthenticated        Code = "UNAUTHENTICATED"
	InvalidState           Code = "INVALID_STATE"
	NotImplemented         Code = "NOT_IMPLEMENTED"
	TemporarilyUnavailable Code = "TEMPORARILY_UNAVAILABLE"
	InternalError          Code = "INTERNAL_ERROR"
)

// Error is a failure that a client can act on. The message is for people.
type Error struct {
	Code    Code
	Message string
	Err     error // what caused it, for errors.As; may be nil
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Unwrap returns what caused e.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an Error with the formatted message. A %w in format is its cause.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// CodeOf returns the code of the Error in err's chain: InternalError when there
// is none, and empty when err is nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return InternalError
}

var statuses = map[Code]int{
	InvalidParameterValue:    http.StatusBadRequest,
	BadRequest:               http.StatusBadRequest,
	ResourceAlreadyExists:    http.StatusBadRequest,
	"CUSTOMER_UNAUTHORIZED":  http.StatusUnauthorized,
	Unauthenticated:          http.StatusUnauthorized,
	PermissionDenied:         http.StatusForbidden,
	ResourceDoesNotExist:     http.StatusNotFound,
	"NOT_FOUND":              http.StatusNotFound,
	EndpointNotFound:         http.StatusNotFound,
	"ABORTED":                http.StatusConflict,
	"ALREADY_EXISTS":         http.StatusConflict,
	"RESOURCE_CONFLICT":      http.StatusConflict,
	"REQUEST_LIMIT_EXCEEDED": http.StatusTooManyRequests,
	"RESOURCE_EXHAUSTED":     http.StatusTooManyRequests,
	"CANCELLED":              499,
	NotImplemented:           http.StatusNotImplemented,
	TemporarilyUnavailable:   http.StatusServiceUnavailable,
	"DEADLINE_EXCEEDED":      http.StatusGatewayTimeout,
}

// Status returns the HTTP status that goes with c: 500 for a code without one.
func (c Code) Status() int {
	if status, ok := statuses[c]; ok {
		return status
	}
	return http.StatusInternalServerError
}
