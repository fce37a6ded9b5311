// The load client of the bench: it puts and gets distinct payloads on keep-alive connections over plain TCP, and compares
// every byte of an answer. It costs little processor time, since it shares the machine with what it measures.
//
//	load -address HOST:PORT -verb put -clients 16 -size 131072 -seconds 2 -seed round-1 -keys FILE    writes the keys into FILE
//	load -address HOST:PORT -verb get -clients 16 -size 131072 -seconds 2 -seed round-1 -keys FILE    each payload again and again
//	load … -verb get -once     each payload one time, until FILE is done or the time is over
//
// It writes one JSON object, a report, to standard output. It fails when an answer has other bytes than were put.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	var plan plan
	var seconds float64
	flag.StringVar(&plan.address, "address", "", "HOST:PORT of the service")
	flag.StringVar(&plan.verb, "verb", "put", "put or get")
	flag.IntVar(&plan.clients, "clients", 1, "connections, each with one request at a time")
	flag.IntVar(&plan.size, "size", 1<<20, "bytes of each payload")
	flag.Float64Var(&seconds, "seconds", 0, "no request begins after this time; 0: no limit")
	flag.IntVar(&plan.count, "count", 0, "at most so many requests; 0: no limit")
	flag.StringVar(&plan.seed, "seed", "", "payloads of another seed differ")
	flag.BoolVar(&plan.once, "once", false, "get each payload one time")
	keysFile := flag.String("keys", "", "file with the keys: a put writes it, a get reads it")
	flag.Parse()
	plan.duration = time.Duration(seconds * float64(time.Second))
	report, err := run(plan, *keysFile)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(report)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(plan plan, keysFile string) (report, error) {
	if plan.size < minimumSize {
		return report{}, fmt.Errorf("a payload has at least %d bytes", minimumSize)
	}
	if plan.duration == 0 && plan.count == 0 && !plan.once {
		return report{}, errors.New("one of -seconds, -count and -once is needed")
	}
	if plan.verb == "get" {
		stored, err := readKeys(keysFile)
		if err != nil {
			return report{}, err
		}
		plan.stored = stored
	}
	outcome, err := plan.run()
	if err != nil {
		return report{}, err
	}
	if plan.verb == "put" && keysFile != "" {
		if err := writeKeys(keysFile, outcome.stored); err != nil {
			return report{}, err
		}
	}
	return outcome.report, nil
}
