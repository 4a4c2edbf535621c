package enginecmd

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

var age = regexp.MustCompile(`^(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?$`)

// ParseAge reads a time such as 2d8h5m20s.
func ParseAge(text string) (time.Duration, error) {
	parts := age.FindStringSubmatch(text)
	if parts == nil || text == "" {
		return 0, fmt.Errorf("%q: want a time such as 30d, 8h or 2d8h5m20s", text)
	}
	var sum float64
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if parts[i+1] != "" {
			n, err := strconv.ParseFloat(parts[i+1], 64)
			if err != nil {
				return 0, fmt.Errorf("%q: %w", text, err)
			}
			sum += n * float64(unit)
		}
	}
	if sum > 1<<62 {
		return 0, fmt.Errorf("%q is longer than there have been runs", text)
	}
	return time.Duration(sum), nil
}
