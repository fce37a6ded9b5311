package main

import (
	"context"
	"io"
	"sync"
)

// memoryDriver keeps payloads in a map.
type memoryDriver struct {
	lock     sync.RWMutex
	payloads map[string][]byte
}

func newMemoryDriver() *memoryDriver {
	return &memoryDriver{payloads: map[string][]byte{}}
}

func (d *memoryDriver) exists(_ context.Context, key string) (bool, error) {
	d.lock.RLock()
	defer d.lock.RUnlock()
	_, isThere := d.payloads[key]
	return isThere, nil
}

func (d *memoryDriver) put(_ context.Context, key string, body io.Reader, _ int64) error {
	payload, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	d.lock.Lock()
	defer d.lock.Unlock()
	d.payloads[key] = payload
	return nil
}

func (d *memoryDriver) get(_ context.Context, key string, to io.Writer) error {
	d.lock.RLock()
	payload, isThere := d.payloads[key]
	d.lock.RUnlock()
	if !isThere {
		return errNotFound
	}
	_, err := to.Write(payload)
	return err
}
