package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// plan is what one run does.
type plan struct {
	address  string
	verb     string
	clients  int
	size     int
	duration time.Duration
	count    int
	seed     string
	once     bool
	// to get
	stored []stored
}

type outcome struct {
	report report
	stored []stored
}

var metadata = base64.StdEncoding.EncodeToString([]byte(`{"encoding":"YmluYXJ5L3BsYWlu"}`))

// run returns an error when a payload came back altered, or when a connection failed without any answer.
func (p plan) run() (outcome, error) {
	payloads := newPayloads(p.size, p.seed)
	limit := p.limit()
	var next atomic.Int64
	workers := make([]*worker, p.clients)
	for client := range workers {
		workers[client] = &worker{plan: p, payloads: payloads, connection: newConnection(p.address), statuses: map[int]int{}}
	}
	cpuBefore, started := processorTime(), time.Now()
	var done sync.WaitGroup
	for _, worker := range workers {
		done.Go(func() {
			defer worker.connection.close()
			for worker.err == nil && (p.duration == 0 || time.Since(started) < p.duration) {
				index := int(next.Add(1)) - 1
				if limit > 0 && index >= limit {
					return
				}
				worker.err = worker.exchange(index)
			}
		})
	}
	done.Wait()
	elapsed, cpu := time.Since(started), processorTime()-cpuBefore
	return outcomeOf(p, workers, elapsed, cpu)
}

// limit is the number of requests; 0: as many as there is time for.
func (p plan) limit() int {
	if p.once && (p.count == 0 || p.count > len(p.stored)) {
		return len(p.stored)
	}
	return p.count
}

// worker is one client.
type worker struct {
	plan       plan
	payloads   *payloads
	connection *connection
	statuses   map[int]int
	latencies  []time.Duration
	stored     []stored
	err        error
}

func (w *worker) exchange(index int) error {
	if w.plan.verb == "put" {
		return w.put(index)
	}
	return w.get(w.plan.stored[index%len(w.plan.stored)])
}

func (w *worker) put(index int) error {
	tail := w.payloads.tail(index)
	head := fmt.Appendf(nil,
		"PUT /v2/blobs/put?namespace=bench&digest=%s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\nX-Temporal-Metadata: %s\r\n\r\n",
		w.payloads.digest(tail), w.plan.size, metadata)
	var body []byte
	status, err := w.timed(net.Buffers{head, w.payloads.shared, tail}, func(_ int, part []byte, _ int) {
		body = append(body, part...)
	})
	if err != nil || !isSuccess(status) {
		return err
	}
	var acknowledgement struct{ Key string }
	if err := json.Unmarshal(body, &acknowledgement); err != nil {
		return fmt.Errorf("acknowledgement %q: %w", body, err)
	}
	w.stored = append(w.stored, stored{Index: index, Key: acknowledgement.Key})
	return nil
}

func (w *worker) get(payload stored) error {
	tail := w.payloads.tail(payload.Index)
	head := fmt.Appendf(nil,
		"GET /v2/blobs/get?key=%s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/octet-stream\r\nX-Payload-Expected-Content-Length: %d\r\n\r\n",
		url.QueryEscape(payload.Key), w.plan.size)
	isRight, received := true, 0
	status, err := w.timed(net.Buffers{head}, func(status int, part []byte, offset int) {
		received += len(part)
		isRight = isRight && w.payloads.isPart(tail, part, offset)
	})
	if err == nil && isSuccess(status) && (!isRight || received != w.plan.size) {
		return fmt.Errorf("%s came back altered: %d bytes of %d", payload.Key, received, w.plan.size)
	}
	return err
}

func (w *worker) timed(request net.Buffers, take func(status int, part []byte, offset int)) (int, error) {
	sent := time.Now()
	status, err := w.connection.exchange(request, take)
	if err != nil {
		return status, err
	}
	w.statuses[status]++
	if isSuccess(status) {
		w.latencies = append(w.latencies, time.Since(sent))
	}
	return status, nil
}

func isSuccess(status int) bool { return status == 200 || status == 201 }
