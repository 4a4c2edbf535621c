package registry

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of MLflow 3.17, in characters where not said otherwise.
const (
	MaxKey                = 250
	MaxParamValue         = 6000 // longer values are cut
	MaxTagValue           = 8000 // longer values are cut
	MaxExperimentName     = 500
	MaxExperimentTagValue = 20000
	MaxArtifactLocation   = 2048
	MaxModelTagValue      = 100000
	MaxAlias              = 255

	MaxBatchMetrics  = 1000 // of one LogBatch
	MaxBatchParams   = 100
	MaxBatchTags     = 100
	MaxBatchEntities = 1000
	MaxDatasets      = 1000 // of one LogInputs

	MaxRuns          = 50000 // results of one search
	MaxExperiments   = 50000
	MaxModels        = 1000
	MaxModelVersions = 200000
	MaxLoggedModels  = 1000
	MaxHistory       = 25000
	MaxSamples       = 2500 // points of one run
	MaxSampledRuns   = 100
)

func missing(parameter string) *Error {
	return Errorf(InvalidParameterValue, "Missing value for required parameter '%s'. "+
		"See the API docs for more information about request parameters.", parameter)
}

func tooLong(parameter string, limit int) *Error {
	return Errorf(InvalidParameterValue, "'%s' exceeds the maximum length of %d characters", parameter, limit)
}

func longer(s string, limit int) bool { return len(s) > limit && utf8.RuneCountInString(s) > limit }

// Cut returns the first limit characters of s.
func Cut(s string, limit int) string {
	if !longer(s, limit) {
		return s
	}
	return string([]rune(s)[:limit])
}

// CheckKey returns an error unless key can name a metric, param or tag. The
// parameter is what the message calls it ("metrics[0].name"), and kind what it
// is ("Metric name").
func CheckKey(parameter, kind, key string) error {
	if key == "" {
		return missing(strings.TrimSuffix(parameter, "name") + "key")
	}
	if longer(key, MaxKey) {
		return tooLong(kind, MaxKey)
	}
	if strings.ContainsFunc(key, func(r rune) bool {
		return !(unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune("_/.- :", r)) || r == utf8.RuneError
	}) {
		return Errorf(InvalidParameterValue, "Invalid value %q for parameter '%s' supplied: Names may only contain "+
			"alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).", key, parameter)
	}
	return checkFileLike(parameter, key)
}

func checkFileLike(parameter, name string) error {
	clean := path.Clean(name)
	if clean != name || name == "." || strings.HasPrefix(name, "..") || strings.HasPrefix(name, "/") {
		return Errorf(InvalidParameterValue, "Invalid value %q for parameter '%s' supplied: Names may be treated as files in "+
			"certain cases, and must not resolve to other names when treated as such. This name would resolve to '%s'",
			name, parameter, clean)
	}
	return nil
}

// CheckMetric returns an error unless m can be logged. The prefix comes before
// the parameter names in messages ("metrics[0]."); it may be empty.
func CheckMetric(prefix string, m Metric) error {
	if err := CheckKey(prefix+"name", "Metric name", m.Key); err != nil {
		return err
	}
	if m.Timestamp < 0 {
		return Errorf(InvalidParameterValue, "Invalid value %d for parameter '%stimestamp' supplied: metric '%s' (value=%s). "+
			"Timestamp must be a nonnegative long (64-bit integer) ", m.Timestamp, prefix, m.Key, appendValue(nil, m.Value))
	}
	return nil
}

// CheckBatch returns an error unless b can be logged.
func CheckBatch(b Batch) error {
	if err := checkBatchSize(b); err != nil {
		return err
	}
	for i, m := range b.Metrics {
		if err := CheckMetric(fmt.Sprintf("metrics[%d].", i), m); err != nil {
			return err
		}
	}
	seen := make(map[string]bool, len(b.Params))
	for i, p := range b.Params {
		if err := CheckKey(fmt.Sprintf("params[%d].name", i), "Param key", p.Key); err != nil {
			return err
		}
		if seen[p.Key] {
			return Errorf(InvalidParameterValue, "Duplicate parameter keys have been submitted: ['%s']. "+
				"Please ensure the request contains only one param value per param key.", p.Key)
		}
		seen[p.Key] = true
	}
	for i, t := range b.Tags {
		if err := CheckKey(fmt.Sprintf("tags[%d].name", i), "Tag key", t.Key); err != nil {
			return err
		}
	}
	return nil
}

func checkBatchSize(b Batch) error {
	const message = "A batch logging request can contain at most %d %[2]s. Got %[3]d %[2]s. " +
		"Please split up %[2]s across multiple requests and try again."
	for _, c := range []struct {
		n, limit int
		what     string
	}{
		{len(b.Metrics), MaxBatchMetrics, "metrics"},
		{len(b.Params), MaxBatchParams, "params"},
		{len(b.Tags), MaxBatchTags, "tags"},
		{len(b.Metrics) + len(b.Params) + len(b.Tags), MaxBatchEntities, "metrics, params, and tags"},
	} {
		if c.n > c.limit {
			return Errorf(InvalidParameterValue, message, c.limit, c.what, c.n)
		}
	}
	return nil
}

var runID = regexp.MustCompile(`^[a-zA-Z0-9][\w\-]{0,255}$`)

// CheckRunID returns an error unless id can be a run's.
func CheckRunID(id string) error {
	if id == "" {
		return missing("run_id")
	}
	if !runID.MatchString(id) {
		return Errorf(InvalidParameterValue, "Invalid value %q for parameter 'run_id' supplied.", printable(id))
	}
	return nil
}

// CheckExperimentName returns an error unless name can be an experiment's. The
// parameter is what the message calls it.
func CheckExperimentName(parameter, name string) error {
	if name == "" {
		return missing(parameter)
	}
	if longer(name, MaxExperimentName) {
		return tooLong("name", MaxExperimentName)
	}
	return nil
}

// CheckExperimentTag returns an error unless t can be an experiment's.
func CheckExperimentTag(t Tag) error {
	if longer(t.Key, MaxKey) {
		return tooLong("key", MaxKey)
	}
	if err := CheckKey("name", "key", t.Key); err != nil {
		return err
	}
	if longer(t.Value, MaxExperimentTagValue) {
		return tooLong("value", MaxExperimentTagValue)
	}
	return nil
}

// remote are the schemes of artifact locations that clients reach by
// themselves, without the tracking server.
var remote = []string{"s3", "gs", "wasbs", "abfss", "dbfs", "adl", "oss"}

// CheckArtifactLocation returns an error unless uri can be where an experiment
// keeps its artifacts: below the server's artifact root, or in an object store.
// Paths on the server's disk are not for clients to choose.
func CheckArtifactLocation(uri string) error {
	if longer(uri, MaxArtifactLocation) {
		return tooLong("artifact_location", MaxArtifactLocation)
	}
	if strings.ContainsAny(uri, "#;") {
		return Errorf(InvalidParameterValue, "'artifact_location' URL can't include fragments or params.")
	}
	u, err := url.Parse(uri)
	if err != nil {
		return Errorf(InvalidParameterValue, "'artifact_location' is not a URI: %s", printable(uri))
	}
	if query, err := url.QueryUnescape(u.RawQuery); err != nil || strings.Contains(query, "..") {
		return Errorf(InvalidParameterValue, "Invalid query string")
	}
	switch {
	case u.Scheme == "runs":
		return Errorf(InvalidParameterValue, "Artifact location cannot be a runs:/ URI. Given: '%s'", printable(uri))
	case u.Scheme == ArtifactScheme:
		_, err := ArtifactName(uri)
		return err
	case slices.Contains(remote, u.Scheme):
		return nil
	}
	return Errorf(InvalidParameterValue, "'artifact_location' cannot use the '%s' scheme: it must be %s:/… or in an object store",
		printable(u.Scheme), ArtifactScheme)
}

// CheckModelName returns an error unless name can be a registered model's. The
// parameter is what the message calls it.
func CheckModelName(parameter, name string) error {
	if strings.TrimSpace(name) == "" {
		return Errorf(InvalidParameterValue, "Missing value for required parameter '%s'.", parameter)
	}
	if strings.ContainsAny(name, "/:") {
		return Errorf(InvalidParameterValue, "Invalid model name '%s'. Names cannot contain '/' or ':'.", printable(name))
	}
	return checkFileLike(parameter, name)
}

// CheckLoggedModelName returns an error unless name can be a logged model's.
func CheckLoggedModelName(name string) error {
	if strings.ContainsAny(name, "/:.%\"'") {
		return Errorf(InvalidParameterValue, "Invalid model name (%s) provided. Model name must be a non-empty string and "+
			"cannot contain the following characters: / : . %% \" '", printable(name))
	}
	return nil
}

// CheckModelTag returns an error unless t can be a registered model's or a
// version's.
func CheckModelTag(t Tag) error {
	if err := CheckKey("name", "key", t.Key); err != nil {
		return err
	}
	if longer(t.Value, MaxModelTagValue) {
		return tooLong("value", MaxModelTagValue)
	}
	return nil
}

var (
	alias        = regexp.MustCompile(`^[\w\-]+$`)
	versionAlias = regexp.MustCompile(`^[vV]\d+$`)
)

// AliasLatest is the alias that always names the highest version.
const AliasLatest = "latest"

// CheckAlias returns an error unless name can be given to a version.
func CheckAlias(name string) error {
	switch {
	case name == "":
		return missing("alias")
	case longer(name, MaxAlias):
		return tooLong("alias", MaxAlias)
	case !alias.MatchString(name):
		return Errorf(InvalidParameterValue, "Invalid alias name: '%s'. Aliases may only contain alphanumerics, underscores (_) and dashes (-).", printable(name))
	case strings.EqualFold(name, AliasLatest):
		return Errorf(InvalidParameterValue, "'%s' alias name (case insensitive) is reserved.", AliasLatest)
	case versionAlias.MatchString(name):
		return Errorf(InvalidParameterValue, "Version alias name '%s' is reserved.", name)
	}
	return nil
}

// ParseVersion returns the number of a model version.
func ParseVersion(version string) (int, error) {
	if version == "" {
		return 0, missing("version")
	}
	n, err := strconv.Atoi(version)
	if err != nil {
		return 0, Errorf(InvalidParameterValue, "Parameter 'version' must be an integer, got '%s'.", printable(version))
	}
	return n, nil
}

// CheckMaxResults returns n, or standard when n is 0, unless it is out of 1 to limit.
func CheckMaxResults(n, standard, limit int) (int, error) {
	switch {
	case n == 0:
		return standard, nil
	case n < 0:
		return 0, Errorf(InvalidParameterValue, "Invalid value %d for parameter 'max_results' supplied. It must be a positive integer", n)
	case n > limit:
		return 0, Errorf(InvalidParameterValue, "Invalid value %d for parameter 'max_results' supplied. It must be at most %d", n, limit)
	}
	return n, nil
}

// CheckStatus returns an error unless s is a run status or empty.
func CheckStatus(s RunStatus) error {
	switch s {
	case "", Running, Scheduled, Finished, Failed, Killed:
		return nil
	}
	return Errorf(InvalidParameterValue, "Invalid value %q for parameter 'status' supplied: want RUNNING, SCHEDULED, FINISHED, FAILED or KILLED", printable(string(s)))
}

// CheckView returns v, or ActiveOnly when v is empty, unless it is no view type.
func CheckView(v ViewType) (ViewType, error) {
	switch v {
	case "":
		return ActiveOnly, nil
	case ActiveOnly, DeletedOnly, ViewAll:
		return v, nil
	}
	return "", Errorf(InvalidParameterValue, "Invalid value %q for parameter 'view_type' supplied: want ACTIVE_ONLY, DELETED_ONLY or ALL", printable(string(v)))
}
