package predict

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features"
)

// TLC's zones.
const (
	firstZone = 1
	lastZone  = 265
)

// FieldError is what is wrong with one field of a request.
type FieldError struct {
	Field   string `json:"field,omitempty"` // empty: the request as a whole
	Message string `json:"message"`         // names the field and what is accepted
}

func (e *FieldError) Error() string { return e.Message }

const wantObject = `want one JSON object like {"PULocationID": 43, "DOLocationID": 151, "trip_distance": 1.01}`

// rideBody is a ride as it is posted. Fields that are not here are ignored, so
// that a whole trip record may be posted.
type rideBody struct {
	PULocationID json.RawMessage `json:"PULocationID"`
	DOLocationID json.RawMessage `json:"DOLocationID"`
	TripDistance json.RawMessage `json:"trip_distance"`
}

// parseRide reads a ride. When strict it refuses what the model cannot know;
// otherwise a missing field is an absent feature, and a zone that does not
// exist a category like any other unseen one.
func parseRide(body []byte, strict bool) (features.Ride, *FieldError) {
	var b rideBody
	if err := json.Unmarshal(body, &b); err != nil {
		return features.Ride{}, bodyError(body, err)
	}
	pickup, wrong := parseZone("PULocationID", b.PULocationID, strict)
	if wrong != nil {
		return features.Ride{}, wrong
	}
	dropoff, wrong := parseZone("DOLocationID", b.DOLocationID, strict)
	if wrong != nil {
		return features.Ride{}, wrong
	}
	miles, wrong := parseDistance("trip_distance", b.TripDistance, strict)
	return features.Ride{PULocationID: pickup, DOLocationID: dropoff, TripDistance: miles}, wrong
}

var keyThenWord = regexp.MustCompile(`"([A-Za-z_]+)"\s*:\s*-?[A-Za-z]+$`)

// bodyError explains a body that is not one JSON object. The likeliest cause is
// a NaN, which JSON cannot spell and other programs write all the same; the
// field it stands in is the last one named before it.
func bodyError(body []byte, err error) *FieldError {
	if syntax := new(json.SyntaxError); errors.As(err, &syntax) {
		if key := keyThenWord.FindSubmatch(body[:min(int(syntax.Offset), len(body))]); key != nil {
			field := string(key[1])
			return &FieldError{field, fmt.Sprintf("%s is not a JSON value (JSON has no NaN or Infinity): %v; %s", field, err, wantObject)}
		}
		return &FieldError{"", fmt.Sprintf("the body is not JSON: %v; %s", err, wantObject)}
	}
	return &FieldError{"", "the body is not one ride; " + wantObject}
}

func parseZone(field string, raw json.RawMessage, strict bool) (int32, *FieldError) {
	refuse := func(what string) (int32, *FieldError) {
		return 0, &FieldError{field, fmt.Sprintf("%s %s; want a TLC taxi zone: a whole number from %d to %d, as a number or a string", field, what, firstZone, lastZone)}
	}
	text := string(raw)
	switch kindOf(raw) {
	case "":
		if strict {
			return refuse("is missing")
		}
		return data.NoZone, nil
	case "a string":
		if err := json.Unmarshal(raw, &text); err != nil {
			return refuse("is not readable")
		}
		text = strings.TrimSpace(text)
	case "a number":
	default:
		return refuse("is " + kindOf(raw))
	}
	id, ok := whole(text)
	switch {
	case !ok:
		return refuse("is " + shown(raw))
	case strict && (id < firstZone || id > lastZone):
		return refuse("is " + shown(raw))
	}
	return int32(min(max(id, math.MinInt32), math.MaxInt32)), nil
}

// whole reads a whole number in any of JSON's spellings: 43, 43.0, 4.3e1.
func whole(s string) (int64, bool) {
	if id, err := strconv.ParseInt(s, 10, 64); err == nil {
		return id, true
	}
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false // hexadecimal, inf and other words of Go's
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

func parseDistance(field string, raw json.RawMessage, strict bool) (float64, *FieldError) {
	refuse := func(what string) (float64, *FieldError) {
		return 0, &FieldError{field, fmt.Sprintf("%s %s; want a number of miles, 0 or more", field, what)}
	}
	switch kindOf(raw) {
	case "":
		if strict {
			return refuse("is missing")
		}
		return math.NaN(), nil
	case "a number":
	default:
		return refuse("is " + kindOf(raw))
	}
	miles, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || math.Abs(miles) > math.MaxFloat32 {
		return refuse("is out of range")
	}
	if strict && miles < 0 {
		return refuse("is " + shown(raw))
	}
	return miles, nil
}

// kindOf names the kind of a JSON value; a field that is not there, or null, has none.
func kindOf(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	switch raw[0] {
	case 'n':
		return ""
	case '"':
		return "a string"
	case 't', 'f':
		return "true or false"
	case '[':
		return "an array"
	case '{':
		return "an object"
	}
	return "a number"
}

// shown is a value for a message: as it was sent, but not at any length.
func shown(raw json.RawMessage) string {
	if len(raw) > 40 {
		return strings.ToValidUTF8(string(raw[:40]), "") + "…"
	}
	return string(raw)
}
