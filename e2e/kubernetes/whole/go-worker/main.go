// A worker in Go, as another team would run it: its codec speaks the wire protocol of DataDog's Large Payload Codec.
package main

import (
	"context"
	"log"
	"os"
	"strconv"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const stampText = "stamped\n"

// Stamp puts a line before a document of any size.
func Stamp(_ context.Context, document []byte) ([]byte, error) {
	return append([]byte(stampText), document...), nil
}

// StampDocument is the workflow: the document goes to an activity and back, and becomes the result.
func StampDocument(ctx workflow.Context, document []byte) ([]byte, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	var stamped []byte
	err := workflow.ExecuteActivity(ctx, Stamp, document).Get(ctx, &stamped)
	return stamped, err
}

func main() {
	threshold, err := strconv.Atoi(os.Getenv("LARGE_PAYLOAD_THRESHOLD_BYTES"))
	if err != nil {
		log.Fatalln("LARGE_PAYLOAD_THRESHOLD_BYTES is not set, so no sidecar was injected:", err)
	}
	codec := &blobCodec{url: os.Getenv("LARGE_PAYLOAD_SERVICE_URL"), namespace: "default", threshold: threshold}
	dataConverter := converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), codec)
	connection, err := client.Dial(client.Options{
		HostPort: os.Getenv("TEMPORAL_ADDRESS"),
		// Requests take longer than the second after which the SDK takes a workflow for one that hangs.
		DataConverter: workflow.DataConverterWithoutDeadlockDetection(dataConverter),
	})
	if err != nil {
		log.Fatalln(err)
	}
	defer connection.Close()
	w := worker.New(connection, "stamping", worker.Options{})
	w.RegisterWorkflow(StampDocument)
	w.RegisterActivity(Stamp)
	if err := w.Run(worker.InterruptCh()); err != nil {
		log.Fatalln(err)
	}
}
