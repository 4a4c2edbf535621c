package registry

import (
	"fmt"
	"path"
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

	MaxDatasetExperiments = 20 // of one SearchDatasets
	MaxDatasetSummaries   = 1000
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

// checkKey returns an error unless key can name a metric, param or tag. The
// parameter is what messages call it ("params[0].key"), kind what the one about
// its length does.
func checkKey(parameter, kind, key string) error {
	if key == "" {
		return missing(strings.TrimSuffix(parameter, "name") + "key") // MLflow calls a metric's key both
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
	if err := checkKey(prefix+"name", "Metric name", m.Key); err != nil {
		return err
	}
	if m.Timestamp < 0 {
		return Errorf(InvalidParameterValue, "Invalid value %d for parameter '%stimestamp' supplied: metric '%s' (value=%s). "+
			"Timestamp must be a nonnegative long (64-bit integer) ", m.Timestamp, prefix, m.Key, appendValue(nil, m.Value))
	}
	return nil
}

// CheckParam returns an error unless p can be logged. The prefix comes before
// the parameter names in messages ("params[0]."); it may be empty.
func CheckParam(prefix string, p Param) error { return checkKey(prefix+"key", "Param key", p.Key) }

// CheckTag returns an error unless t can be set on a run or a logged model. The
// prefix comes before the parameter names in messages ("tags[0]."); it may be empty.
func CheckTag(prefix string, t Tag) error { return checkKey(prefix+"key", prefix+"key", t.Key) }

// CheckBatch returns an error unless b can be logged.
func CheckBatch(b Batch) error {
	if err := checkBatchSize(b); err != nil {
		return err
	}
	for i, m := range b.Metrics {
		if CheckMetric("", m) != nil { // once more with its name, which most need not
			return CheckMetric(fmt.Sprintf("metrics[%d].", i), m)
		}
	}
	seen := make(map[string]bool, len(b.Params))
	for i, p := range b.Params {
		if err := CheckParam(fmt.Sprintf("params[%d].", i), p); err != nil {
			return err
		}
		if seen[p.Key] {
			return Errorf(InvalidParameterValue, "Duplicate parameter keys have been submitted: ['%s']. "+
				"Please ensure the request contains only one param value per param key.", p.Key)
		}
		seen[p.Key] = true
	}
	for i, t := range b.Tags {
		if err := CheckTag(fmt.Sprintf("tags[%d].", i), t); err != nil {
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
