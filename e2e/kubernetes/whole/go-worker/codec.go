package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	commonpb "go.temporal.io/api/common/v1"
)

const (
	marker     = "temporal.io/remote-codec"
	version    = "v2"
	retriedFor = 3 * time.Minute
	pause      = 200 * time.Millisecond
	mostOfText = 64 << 10
)

// blobCodec stores payloads above a threshold by the wire protocol, version 2: docs/wire-protocol.md.
type blobCodec struct {
	url, namespace string
	threshold      int
}

// The JSON that DataDog's codec writes into a reference. The order of its fields is part of the protocol.
type reference struct {
	Metadata map[string][]byte `json:"metadata"`
	Size     uint              `json:"size"`
	Digest   string            `json:"digest"`
	Key      string            `json:"key"`
}

func (c *blobCodec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, func(payload *commonpb.Payload) (*commonpb.Payload, error) {
		if payload.Size() <= c.threshold || payload.Metadata[marker] != nil {
			return payload, nil
		}
		return c.store(payload)
	})
}

func (c *blobCodec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, func(payload *commonpb.Payload) (*commonpb.Payload, error) {
		if payload.Metadata[marker] == nil {
			return payload, nil
		}
		return c.fetch(payload)
	})
}

func each(payloads []*commonpb.Payload, one func(*commonpb.Payload) (*commonpb.Payload, error)) ([]*commonpb.Payload, error) {
	results := make([]*commonpb.Payload, len(payloads))
	for index, payload := range payloads {
		result, err := one(payload)
		if err != nil {
			return nil, err
		}
		results[index] = result
	}
	return results, nil
}

func (c *blobCodec) store(payload *commonpb.Payload) (*commonpb.Payload, error) {
	metadata, err := json.Marshal(payload.Metadata)
	if err != nil {
		return nil, err
	}
	digest := digestOf(payload.Data)
	query := url.Values{"namespace": {c.namespace}, "digest": {digest}}
	answer, err := c.call(http.MethodPut, "/v2/blobs/put?"+query.Encode(), payload.Data, http.Header{
		"X-Temporal-Metadata": {base64.StdEncoding.EncodeToString(metadata)},
	})
	if err != nil {
		return nil, err
	}
	var stored struct{ Key string }
	if err := json.Unmarshal(answer, &stored); err != nil {
		return nil, err
	}
	data, err := json.Marshal(reference{payload.Metadata, uint(len(payload.Data)), digest, stored.Key})
	if err != nil {
		return nil, err
	}
	return &commonpb.Payload{
		Metadata: map[string][]byte{"encoding": []byte("json/plain"), marker: []byte(version)},
		Data:     data,
	}, nil
}

func (c *blobCodec) fetch(payload *commonpb.Payload) (*commonpb.Payload, error) {
	if found := string(payload.Metadata[marker]); found != version {
		return nil, fmt.Errorf("a reference of version %s cannot be read", found)
	}
	var stored reference
	if err := json.Unmarshal(payload.Data, &stored); err != nil {
		return nil, err
	}
	data, err := c.call(http.MethodGet, "/v2/blobs/get?"+url.Values{"key": {stored.Key}}.Encode(), nil, http.Header{
		"X-Payload-Expected-Content-Length": {strconv.Itoa(int(stored.Size))},
	})
	if err != nil {
		return nil, err
	}
	if digest := digestOf(data); digest != stored.Digest {
		return nil, fmt.Errorf("the payload has the digest %s, not %s", digest, stored.Digest)
	}
	return &commonpb.Payload{Metadata: stored.Metadata, Data: data}, nil
}

// call repeats a request while the service cannot be reached or answers 5xx, since the Go SDK fails a workflow whose result
// cannot be encoded. DataDog's codec tries once.
func (c *blobCodec) call(method, target string, body []byte, header http.Header) ([]byte, error) {
	header.Set("Content-Type", "application/octet-stream")
	for began := time.Now(); ; time.Sleep(pause) {
		answer, mayPass, err := c.callOnce(method, target, body, header)
		if err == nil || !mayPass || time.Since(began) > retriedFor {
			return answer, err
		}
	}
}

func (c *blobCodec) callOnce(method, target string, body []byte, header http.Header) (answer []byte, mayPass bool, err error) {
	request, err := http.NewRequest(method, c.url+target, bytes.NewReader(body))
	if err != nil {
		return nil, false, err
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, true, err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(response.Body, mostOfText))
		return nil, response.StatusCode >= 500, fmt.Errorf("%s %s: %d %s", method, target, response.StatusCode, text)
	}
	answer, err = io.ReadAll(response.Body)
	return answer, true, err
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}
