// The peer of the bench: what DataDog's large payload service does for a PUT and a GET, by the same calls of Amazon's SDK
// and the defaults of net/http. It speaks the service's wire protocol, so that one load client drives both.
//
//	peer -driver memory
//	peer -driver s3 -bucket NAME    endpoint, region, credentials and authority come from the environment of the SDK
//
// It listens on any port of loopback and says so by one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	driverName := flag.String("driver", "memory", "memory or s3")
	bucket := flag.String("bucket", "", "of the driver s3")
	flag.Parse()
	driver, err := startDriver(context.Background(), *driverName, *bucket)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	line := map[string]string{"msg": "listening", "data": listener.Addr().String()}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, newHandler(driver)))
}

func startDriver(ctx context.Context, name, bucket string) (driver, error) {
	switch name {
	case "memory":
		return newMemoryDriver(), nil
	case "s3":
		return newS3Driver(ctx, bucket)
	default:
		return nil, fmt.Errorf("no driver %q: memory or s3", name)
	}
}
