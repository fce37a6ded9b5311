package main

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"testing"
)

func TestPartsOfAPayloadAreAcceptedAndAlteredOnesRefused(t *testing.T) {
	payloads := newPayloads(1000, "seed")
	tail := payloads.tail(7)
	whole := slices.Concat(payloads.shared, tail)
	sum := sha256.Sum256(whole)
	if payloads.digest(tail) != "sha256:"+hex.EncodeToString(sum[:]) {
		t.Error("the digest is not that of the whole payload")
	}
	for _, bounds := range [][2]int{{0, 1000}, {0, 10}, {900, 1000}, {936, 1000}, {950, 960}, {1000, 1000}, {0, 0}} {
		part := slices.Clone(whole[bounds[0]:bounds[1]])
		if !payloads.isPart(tail, part, bounds[0]) {
			t.Errorf("the part %v is refused", bounds)
		}
		for place := range part {
			part[place] ^= 1
			if payloads.isPart(tail, part, bounds[0]) {
				t.Fatalf("the part %v is accepted with its byte %d altered", bounds, place)
			}
			part[place] ^= 1
		}
	}
	if payloads.isPart(tail, append(whole, 0), 0) {
		t.Error("a payload is accepted with a byte too many")
	}
	if payloads.isPart(payloads.tail(8), whole, 0) {
		t.Error("another payload is accepted")
	}
}
