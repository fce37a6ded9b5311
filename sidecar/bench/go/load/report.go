package main

import (
	"errors"
	"slices"
	"syscall"
	"time"
)

// report is what a run prints. Latencies are those of successes.
type report struct {
	Seconds float64 `json:"seconds"`
	// payload bytes of successes
	Bytes        int64       `json:"bytes"`
	MibPerSecond float64     `json:"mibPerSecond"`
	P50Ms        float64     `json:"p50Ms"`
	P95Ms        float64     `json:"p95Ms"`
	P99Ms        float64     `json:"p99Ms"`
	MaxMs        float64     `json:"maxMs"`
	Statuses     map[int]int `json:"statuses"`
	// of this process, user and kernel mode
	CPUSeconds float64 `json:"cpuSeconds"`
}

func outcomeOf(p plan, workers []*worker, elapsed, cpu time.Duration) (outcome, error) {
	var latencies []time.Duration
	var all []stored
	var errs []error
	statuses := map[int]int{}
	for _, worker := range workers {
		latencies = append(latencies, worker.latencies...)
		all = append(all, worker.stored...)
		errs = append(errs, worker.err)
		for status, count := range worker.statuses {
			statuses[status] += count
		}
	}
	slices.Sort(latencies)
	size := int64(len(latencies)) * int64(p.size)
	return outcome{stored: all, report: report{
		Seconds:      elapsed.Seconds(),
		Bytes:        size,
		MibPerSecond: float64(size) / (1 << 20) / elapsed.Seconds(),
		P50Ms:        percentile(latencies, 50),
		P95Ms:        percentile(latencies, 95),
		P99Ms:        percentile(latencies, 99),
		MaxMs:        percentile(latencies, 100),
		Statuses:     statuses,
		CPUSeconds:   cpu.Seconds(),
	}}, errors.Join(errs...)
}

// percentile of sorted values, ms; 0 of none.
func percentile(sorted []time.Duration, percent int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := (len(sorted)*percent + 99) / 100
	return float64(sorted[max(0, at-1)]) / float64(time.Millisecond)
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
