package registry

import (
	"net/url"
	"path"
	"strings"
)

// FileInfo describes one artifact, or a folder of them.
type FileInfo struct {
	Path  string `json:"path"` // where ListArtifacts is asked: relative to the run's artifacts
	IsDir bool   `json:"is_dir"`
	Size  int64  `json:"file_size,omitempty"` // bytes; 0 for a folder
}

// NewFile is a file to store: the same bytes under each of its names, of which
// there is one at least. On a disk of ours they take one place.
type NewFile struct {
	Names []string // below the tracking server's artifact root
	Bytes []byte   // not to be changed
}

// ArtifactScheme is the scheme of artifacts that are read and written through
// the tracking server.
const ArtifactScheme = "mlflow-artifacts"

// ArtifactName returns the name below the server's artifact root that a
// mlflow-artifacts:/… URI stands for ("1/<run id>/artifacts").
func ArtifactName(uri string) (string, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != ArtifactScheme || u.Host != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", Errorf(InvalidParameterValue, "artifacts at '%s' cannot be reached through the tracking server: "+
			"the experiment's artifact location is not %s:/…", uri, ArtifactScheme)
	}
	name := strings.Trim(u.Path+u.Opaque, "/")
	if name == "" {
		return ".", nil
	}
	return name, CheckArtifactPath(name)
}

// LocalPath returns the path that an artifact URI names on the server's own
// disk: of file:///… and of an absolute path. Whoever lets clients give such
// URIs must check that the path is where they may read and write.
func LocalPath(uri string) (place string, ok bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "" && u.Scheme != "file" || u.Host != "" && u.Host != "localhost" || u.RawQuery != "" || u.Fragment != "" {
		return "", false
	}
	if !path.IsAbs(u.Path) || u.Path != "/" && CheckArtifactPath(strings.Trim(u.Path, "/")) != nil {
		return "", false
	}
	return path.Clean(u.Path), true
}

// CheckArtifactPath returns an error unless p is a relative path that stays
// below where it begins, however often it is unescaped.
func CheckArtifactPath(p string) error {
	for decoded, i := p, 0; i < 10; i++ {
		if !localPath(decoded) {
			return Errorf(InvalidParameterValue, "Invalid path")
		}
		next, err := url.PathUnescape(decoded)
		if err != nil || next == decoded {
			return nil
		}
		decoded = next
	}
	return Errorf(InvalidParameterValue, "Invalid path")
}

func localPath(p string) bool {
	if p == "" || strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' || r == '#' }) {
		return false
	}
	if path.IsAbs(p) || len(p) > 1 && p[1] == ':' || strings.Contains(p, "://") || strings.HasPrefix(p, "file:") {
		return false
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == ".." {
			return false
		}
	}
	return true
}
