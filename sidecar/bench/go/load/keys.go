package main

import (
	"encoding/json"
	"os"
)

// stored is a payload that the service acknowledged.
type stored struct {
	Index int
	Key   string
}

func writeKeys(file string, all []stored) error {
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

func readKeys(file string) ([]stored, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []stored
	return all, json.Unmarshal(text, &all)
}
