package engine

import (
	"context"
	"log/slog"
	"slices"
	"strings"
)

// logger returns the log of a call, or of the run itself for the key "".
func (r *flowRun) logger(key string) *slog.Logger {
	return slog.New(&logHandler{run: r, key: key})
}

// logHandler keeps lines in the history and shows them to the observer.
type logHandler struct {
	run   *flowRun
	key   string
	attrs []slog.Attr
	group string
}

func (h *logHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	copied := *h
	copied.attrs = slices.Concat(h.attrs, qualify(h.group, attrs))
	return &copied
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	copied := *h
	copied.group = h.group + name + "."
	return &copied
}

func qualify(group string, attrs []slog.Attr) []slog.Attr {
	if group == "" {
		return attrs
	}
	attrs = slices.Clone(attrs)
	for i := range attrs {
		attrs[i].Key = group + attrs[i].Key
	}
	return attrs
}

// write adds an attribute to a line: month=2021-01, or train.month=2021-01 where it is
// of a group.
func write(line *strings.Builder, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() != slog.KindGroup {
		line.WriteString(" " + a.Key + "=" + v.String())
		return
	}
	name := strings.TrimSuffix(a.Key, ".") // a group without a name is none
	if name != "" {
		name += "."
	}
	for _, a := range qualify(name, v.Group()) {
		write(line, a)
	}
}

func (h *logHandler) Handle(ctx context.Context, rec slog.Record) error {
	var own []slog.Attr
	rec.Attrs(func(a slog.Attr) bool { own = append(own, a); return true })
	var text strings.Builder
	text.WriteString(rec.Message)
	for _, a := range slices.Concat(h.attrs, qualify(h.group, own)) {
		write(&text, a)
	}
	line := LogLine{
		FlowRunID: h.run.born.ID, TaskKey: h.key, Time: h.run.engine.now(),
		Level: rec.Level.String(), Message: text.String(),
	}
	err := h.run.engine.History.AppendLogs(context.WithoutCancel(ctx), []LogLine{line})
	if o := h.run.engine.Observer; o != nil {
		o.Log(line)
	}
	return err
}
