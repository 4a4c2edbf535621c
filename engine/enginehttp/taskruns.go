package enginehttp

import (
	"fmt"

	"github.com/taximeter/taximeter/engine"
)

const aboutTasks = "Task runs"

type listTaskRuns struct {
	State []engine.StateType `json:"state" doc:"types: RUNNING,FAILED"`
	Name  string             `json:"name" doc:"a part of the task's name, or of the call's"`
	Limit int                `json:"limit" min:"1" max:"1000" default:"100"`
	After string             `json:"after" doc:"next of the page before"`
}

type taskRunPage struct {
	TaskRuns []TaskRun `json:"task_runs"`
	Next     string    `json:"next,omitempty" doc:"to be given as after; left out on the last page"`
}

type taskRunDetails struct {
	TaskRun TaskRun `json:"task_run"`
	States  []State `json:"states" doc:"every one it was in, oldest first"`
}

type stateList struct {
	States []State `json:"states"`
}

func (h *handler) addTaskRuns() {
	add(h, aboutTasks, "GET flow-runs/{id}/task-runs", "listTaskRuns", "List the calls of a flow run, as they were made", h.listTaskRuns)
	add(h, aboutTasks, "GET flow-runs/{id}/task-runs/{key...}", "getTaskRun", "One call, with its states", func(in request[none, none]) (d taskRunDetails, err error) {
		run, err := h.find(in.Request)
		if err != nil {
			return d, err
		}
		key := in.PathValue("key")
		tasks, err := h.records.SearchTasks(in.Context(), engine.TaskQuery{FlowRunID: run.ID, Key: key, Limit: 1})
		if err == nil && len(tasks) == 0 {
			err = fmt.Errorf("task run %q of flow run %s: %w", key, run.ID, engine.ErrNotFound)
		}
		if err != nil {
			return d, err
		}
		states, err := h.records.States(in.Context(), run.ID, key)
		return taskRunDetails{newTaskRun(tasks[0]), NewStates(states)}, err
	})
	add(h, aboutRuns, "GET flow-runs/{id}/states", "listFlowRunStates", "Every state a flow run was in, oldest first", func(in request[none, none]) (list stateList, err error) {
		run, err := h.find(in.Request)
		if err != nil {
			return list, err
		}
		states, err := h.records.States(in.Context(), run.ID, "")
		return stateList{NewStates(states)}, err
	})
}

func (h *handler) listTaskRuns(in request[listTaskRuns, none]) (page taskRunPage, err error) {
	if err := checkStates(in.Query.State); err != nil {
		return page, err
	}
	order, key, err := splitPlace(in.Query.After)
	if err != nil {
		return page, err
	}
	run, err := h.find(in.Request)
	if err != nil {
		return page, err
	}
	tasks, err := h.records.SearchTasks(in.Context(), engine.TaskQuery{FlowRunID: run.ID, States: in.Query.State, Name: in.Query.Name,
		After: engine.TaskPlace{Order: int(order), Key: key}, Limit: in.Query.Limit + 1})
	if len(tasks) > in.Query.Limit {
		tasks = tasks[:in.Query.Limit]
		last := tasks[len(tasks)-1]
		page.Next = place(int64(last.Order), last.Key)
	}
	page.TaskRuns = NewTaskRuns(tasks)
	return page, err
}
