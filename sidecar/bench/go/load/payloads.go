package main

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
)

const tailLength = 64
const minimumSize = 2 * tailLength

// payloads differ only in their last bytes: all together take the memory of one, and the shared bytes are hashed once.
type payloads struct {
	size       int
	seed       string
	shared     []byte
	hashShared []byte
}

func newPayloads(size int, seed string) *payloads {
	shared := make([]byte, size-tailLength)
	random := rand.NewChaCha8([32]byte([]byte("the same bytes in each process!!")))
	_, _ = random.Read(shared)
	hasher := sha256.New()
	hasher.Write(shared)
	state, err := hasher.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic(err)
	}
	return &payloads{size: size, seed: seed, shared: shared, hashShared: state}
}

func (p *payloads) tail(index int) []byte {
	return fmt.Appendf(nil, "%-*.*s", tailLength, tailLength, fmt.Sprintf("%d of %s", index, p.seed))
}

func (p *payloads) digest(tail []byte) string {
	hasher := sha256.New()
	if err := hasher.(encoding.BinaryUnmarshaler).UnmarshalBinary(p.hashShared); err != nil {
		panic(err)
	}
	hasher.Write(tail)
	return "sha256:" + hex.EncodeToString(hasher.Sum(nil))
}

// isPart tells whether the payload with this tail has these bytes at this place.
func (p *payloads) isPart(tail, part []byte, offset int) bool {
	if offset+len(part) > p.size {
		return false
	}
	fromShared := max(0, min(len(part), len(p.shared)-offset))
	if fromShared > 0 && !bytes.Equal(part[:fromShared], p.shared[offset:offset+fromShared]) {
		return false
	}
	rest := part[fromShared:]
	return len(rest) == 0 || bytes.HasPrefix(tail[offset+fromShared-len(p.shared):], rest)
}
