package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// s3Driver moves payloads by the SDK's transfer manager, one part after the other, because a request's body can only be
// read in order. Up to 5 MiB, the manager's size of a part, a payload is one request each way.
type s3Driver struct {
	client     *s3.Client
	uploader   *manager.Uploader
	downloader *manager.Downloader
	bucket     string
}

func newS3Driver(ctx context.Context, bucket string) (*s3Driver, error) {
	configuration, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	client := s3.NewFromConfig(configuration, func(options *s3.Options) { options.UsePathStyle = true })
	if _, err := client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket}); err != nil {
		return nil, fmt.Errorf("bucket %q: %w", bucket, err)
	}
	return &s3Driver{
		client:     client,
		uploader:   manager.NewUploader(client, func(uploader *manager.Uploader) { uploader.Concurrency = 1 }),
		downloader: manager.NewDownloader(client, func(downloader *manager.Downloader) { downloader.Concurrency = 1 }),
		bucket:     bucket,
	}, nil
}

func (d *s3Driver) exists(ctx context.Context, key string) (bool, error) {
	_, err := d.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &d.bucket, Key: &key})
	var failure smithy.APIError
	if errors.As(err, &failure) && failure.ErrorCode() == "NotFound" {
		return false, nil
	}
	return err == nil, err
}

func (d *s3Driver) put(ctx context.Context, key string, body io.Reader, size int64) error {
	_, err := d.uploader.Upload(ctx, &s3.PutObjectInput{
		Bucket:        &d.bucket,
		Key:           &key,
		Body:          body,
		ContentLength: aws.Int64(size),
	})
	return err
}

func (d *s3Driver) get(ctx context.Context, key string, to io.Writer) error {
	_, err := d.downloader.Download(ctx, &inOrder{to: to}, &s3.GetObjectInput{Bucket: &d.bucket, Key: &key})
	var absent *types.NoSuchKey
	if errors.As(err, &absent) {
		return errNotFound
	}
	return err
}

// inOrder is the io.WriterAt of a download that writes in order.
type inOrder struct {
	to      io.Writer
	written int64
}

func (w *inOrder) WriteAt(bytes []byte, offset int64) (int, error) {
	if offset != w.written {
		return 0, fmt.Errorf("write at %d after %d bytes", offset, w.written)
	}
	length, err := w.to.Write(bytes)
	w.written += int64(length)
	return length, err
}
