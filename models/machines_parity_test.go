//go:build parity

package models

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// machine is what Go compiles for, and what runs that here.
type machine struct {
	name     string
	env      []string
	emulator string // "" where this machine does
}

var machines = []machine{
	{"amd64 v1", []string{"GOARCH=amd64", "GOAMD64=v1"}, ""},
	{"amd64 v3", []string{"GOARCH=amd64", "GOAMD64=v3"}, ""},
	{"arm64", []string{"GOARCH=arm64"}, "qemu-aarch64-static"},
}

// compile runs the go command for the machine and returns what it says.
func (m machine) compile(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), m.env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %s: %v\n%s", m.name, cmd, err, out)
	}
	return out
}

// TestMachinesParity has every machine repeat the comparisons with XGBoost that
// are committed as bytes: whole model files, predictions, and every array of the
// trees of synthesised months.
func TestMachinesParity(t *testing.T) {
	for _, m := range machines {
		for _, tests := range [][2]string{
			{"./gbt", "EqualsXGBoost$|FormatsOfXGBoost|SameBytes"},
			{".", "TreesEqualXGBoostOnSynthesisedMonths"},
		} {
			binary := filepath.Join(t.TempDir(), "tests")
			m.compile(t, "test", "-c", "-o", binary, tests[0])
			args := []string{binary, "-test.v", "-test.run", tests[1]}
			if m.emulator != "" {
				args = append([]string{m.emulator}, args...)
			}
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Dir = tests[0]
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %s: %v (amd64 v3 needs AVX2 and FMA; arm64 is run by qemu-user-static)\n%.4000s", m.name, cmd, err, out)
				continue
			}
			passed := regexp.MustCompile(`(?m)^--- PASS: (\S+)`).FindAllSubmatch(out, -1)
			if len(passed) == 0 {
				t.Errorf("%s: no test ran:\n%s", m.name, out)
			}
			for _, p := range passed {
				t.Logf("%s: %s", m.name, p[1])
			}
		}
	}
}

var (
	function = regexp.MustCompile(`^(\S+) STEXT`)
	fused    = regexp.MustCompile(`\t(FN?M(ADD|SUB)[SD]?|VFN?M(ADD|SUB)\w+)\t`)
)

// TestFusedParity looks through what the compiler makes of the algorithms: an
// addition that is fused with a multiplication is rounded once instead of twice,
// and only on some machines. Where one appears, an explicit conversion of the
// product prevents it.
func TestFusedParity(t *testing.T) {
	for _, m := range machines {
		var in, functions []string
		for line := range strings.Lines(string(m.compile(t, "build", "-gcflags=-S", "./gbt", "./linear", "../features/matrix"))) {
			if f := function.FindStringSubmatch(line); f != nil {
				functions = append(functions, f[1])
			} else if fused.MatchString(line) {
				in = append(in, functions[len(functions)-1]+": "+strings.TrimSpace(line))
			}
		}
		// linear.dot calls math.FMA, as numpy's does, which is the same everywhere.
		const meant = "github.com/taximeter/taximeter/models/linear.dot: "
		found := len(in)
		in = slices.DeleteFunc(in, func(s string) bool { return strings.HasPrefix(s, meant) })
		for _, s := range in {
			t.Errorf("%s: fused: %s", m.name, s)
		}
		for _, name := range []string{"models/gbt.Fit", "models/gbt.rmse", "models/gbt.(*Predictor).Predict", "models/linear.(*Model).Predict"} {
			if !slices.Contains(functions, "github.com/taximeter/taximeter/"+name) {
				t.Errorf("%s: the compiler shows no %s", m.name, name)
			}
		}
		if m.name != "amd64 v1" && found == len(in) {
			t.Errorf("%s: not even linear.dot shows a fused addition, so that this sees none", m.name)
		}
		t.Logf("%s: %d functions, %d fused additions", m.name, len(functions), len(in))
	}
}
