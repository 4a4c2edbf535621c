package registry

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

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
	if err := CheckTag("", t); err != nil {
		return err
	}
	if longer(t.Value, MaxExperimentTagValue) {
		return tooLong("value", MaxExperimentTagValue)
	}
	var config map[string]any
	if t.Key == "mlflow.trace.archivalRetention" && json.Unmarshal([]byte(t.Value), &config) != nil {
		return Errorf(InvalidParameterValue, "Trace archival config must be encoded as a JSON object.")
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
		return Errorf(InvalidParameterValue, "Invalid model name ('%s') provided. Model name must be a non-empty string and "+
			"cannot contain the following characters: ('/', ':', '.', '%%', '\"', \"'\")", printable(name))
	}
	return nil
}

// CheckModelTag returns an error unless t can be a registered model's or a
// version's.
func CheckModelTag(t Tag) error {
	if err := CheckTag("", t); err != nil {
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
		return tooLong("Registered model alias name", MaxAlias)
	case !alias.MatchString(name):
		return Errorf(InvalidParameterValue, "Invalid alias name: '%s'. Names may only contain alphanumerics, underscores (_), and dashes (-).", printable(name))
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

// printable returns s without control characters and not too long, for messages.
func printable(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
