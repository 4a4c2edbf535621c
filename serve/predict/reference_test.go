package predict

import "testing"

func TestParseReference(t *testing.T) {
	for text, want := range map[string]Reference{
		"":                        {},
		DefaultModel:              {text: DefaultModel, model: "NYCRideDurationModel", stage: "Staging"},
		"models:/m/production":    {text: "models:/m/production", model: "m", stage: "Production"},
		"models:/m/latest":        {text: "models:/m/latest", model: "m", alias: "latest"},
		"models:/m/7":             {text: "models:/m/7", model: "m", version: "7"},
		"models:/m/007":           {text: "models:/m/007", model: "m", version: "7"},
		"models:/my model@shadow": {text: "models:/my model@shadow", model: "my model", alias: "shadow"},
		"runs:/abc/model":         {text: "runs:/abc/model", run: "abc", path: "model"},
		"runs:/abc/deep/model/":   {text: "runs:/abc/deep/model/", run: "abc", path: "deep/model"},
	} {
		got, err := ParseReference(text)
		if err != nil || got != want {
			t.Errorf("ParseReference(%q) = %+v, %v, want %+v", text, got, err, want)
		}
		if text != "" && got.String() != text {
			t.Errorf("ParseReference(%q) prints as %q", text, got)
		}
	}
	if got := (Reference{}).String(); got != DefaultModel {
		t.Errorf("the zero Reference prints as %q", got)
	}
	for _, text := range []string{"NYCRideDurationModel", "models:/", "models:/m", "models:/m/", "models:/m@", "models:/@a", "models://Staging",
		"models:/m/Stagin", "models:/m/0", "models:/m/-1", "models:/m/1/2", "runs:/", "runs:/abc", "runs:/abc/", "runs://model", "file:///etc"} {
		if got, err := ParseReference(text); err == nil {
			t.Errorf("ParseReference(%q) = %+v, want an error", text, got)
		}
	}
}
