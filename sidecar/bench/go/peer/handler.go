package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"sort"
	"strconv"
	"strings"
)

const maxPayload = 1 << 30

var errNotFound = errors.New("no such payload")

// driver keeps payloads by their keys.
type driver interface {
	exists(ctx context.Context, key string) (bool, error)
	// put reads the body once, in order.
	put(ctx context.Context, key string, body io.Reader, size int64) error
	// get writes the payload. It returns errNotFound before it has written.
	get(ctx context.Context, key string, to io.Writer) error
}

func newHandler(d driver) http.Handler {
	mux := http.NewServeMux()
	handle := func(path string, serve func(driver, http.ResponseWriter, *http.Request) error) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if err := serve(d, w, r); err != nil {
				refuse(w, err)
			}
		})
	}
	handle("PUT /v2/blobs/put", putBlob)
	handle("GET /v2/blobs/get", getBlob)
	handle("HEAD /v2/health/head", func(driver, http.ResponseWriter, *http.Request) error { return nil })
	return mux
}

// badRequest is an error of the caller's.
type badRequest struct{ message string }

func (e badRequest) Error() string { return e.message }

func refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var bad badRequest
	switch {
	case errors.As(err, &bad):
		status = http.StatusBadRequest
	case errors.Is(err, errNotFound):
		status = http.StatusNotFound
	}
	if status == http.StatusInternalServerError {
		log.Print(err)
	}
	w.Header().Del("Content-Length")
	http.Error(w, err.Error(), status)
}

// putBlob asks whether the payload is there, and stores it while it hashes it. The digest is compared afterwards.
func putBlob(d driver, w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	namespace := query.Get("namespace")
	digest, isSha256 := strings.CutPrefix(query.Get("digest"), "sha256:")
	if namespace == "" || !isSha256 {
		return badRequest{"namespace and digest=sha256:… are needed"}
	}
	size, err := strconv.ParseInt(r.Header.Get("Content-Length"), 10, 64)
	if err != nil || size < 0 || size > maxPayload {
		return badRequest{"Content-Length has to be the payload's length, up to 1 GiB"}
	}
	metadata, err := metadataHash(r.Header.Get("X-Temporal-Metadata"))
	if err != nil {
		return err
	}
	key := fmt.Sprintf("blobs/%s/common/sha256:%s/%s", namespace, digest, metadata)
	isThere, err := d.exists(r.Context(), key)
	if err != nil {
		return err
	}
	if isThere {
		return acknowledge(w, http.StatusOK, key)
	}
	hasher := sha256.New()
	if err := d.put(r.Context(), key, io.TeeReader(r.Body, hasher), size); err != nil {
		return err
	}
	if hex.EncodeToString(hasher.Sum(nil)) != digest {
		return badRequest{"the payload has another digest"}
	}
	return acknowledge(w, http.StatusCreated, key)
}

func acknowledge(w http.ResponseWriter, status int, key string) error {
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(map[string]string{"Key": key})
}

// getBlob sends the payload as the driver gives it, without a hash.
func getBlob(d driver, w http.ResponseWriter, r *http.Request) error {
	key := r.URL.Query().Get("key")
	size, err := strconv.ParseUint(r.Header.Get("X-Payload-Expected-Content-Length"), 10, 63)
	if key == "" || err != nil {
		return badRequest{"key and X-Payload-Expected-Content-Length are needed"}
	}
	w.Header().Set("Content-Length", strconv.FormatUint(size, 10))
	return d.get(r.Context(), key, w)
}

// metadataHash takes base64 of a JSON object whose values are base64, as the header X-Temporal-Metadata has it.
func metadataHash(header string) (string, error) {
	text, err := base64.StdEncoding.DecodeString(header)
	if err != nil {
		return "", badRequest{"X-Temporal-Metadata is not base64"}
	}
	var metadata map[string][]byte
	if err := json.Unmarshal(text, &metadata); err != nil {
		return "", badRequest{"X-Temporal-Metadata is not JSON of base64 values"}
	}
	names := make([]string, 0, len(metadata))
	for name := range metadata {
		names = append(names, name)
	}
	sort.Strings(names)
	hasher := sha256.New()
	for _, name := range names {
		hasher.Write([]byte(name))
		hasher.Write(metadata[name])
	}
	return "sha256:" + hex.EncodeToString(hasher.Sum(nil)), nil
}
