package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

const bufferLength = 256 << 10

// connection makes one HTTP/1.1 exchange after another, and connects anew after an answer that ends the connection.
type connection struct {
	address string
	socket  *net.TCPConn
	raw     syscall.RawConn
	buffer  []byte
	// SO_RCVLOWAT of the socket
	wakeAt int
}

func newConnection(address string) *connection {
	return &connection{address: address, buffer: make([]byte, bufferLength)}
}

// exchange sends a request and hands each part of the answer's body to take, with its place in the body.
// An answer may come before the whole request is sent: then a failure to send the rest does not count.
func (c *connection) exchange(request net.Buffers, take func(status int, part []byte, offset int)) (int, error) {
	if err := c.connect(); err != nil {
		return 0, err
	}
	_, sendError := request.WriteTo(c.socket)
	answer, err := c.receive(take)
	if err != nil || sendError != nil || answer.isLast {
		c.close()
	}
	if err != nil {
		return 0, errors.Join(sendError, err)
	}
	return answer.status, nil
}

func (c *connection) connect() error {
	if c.socket != nil {
		return nil
	}
	socket, err := net.Dial("tcp", c.address)
	if err != nil {
		return err
	}
	c.socket, c.wakeAt = socket.(*net.TCPConn), 1
	c.raw, err = c.socket.SyscallConn()
	return err
}

// wakeAfter lets the kernel wake us only when this many bytes have come, and not for each piece that the server writes.
func (c *connection) wakeAfter(length int) error {
	length = min(length, len(c.buffer))
	if length == c.wakeAt {
		return nil
	}
	c.wakeAt = length
	var failure error
	err := c.raw.Control(func(socket uintptr) {
		failure = syscall.SetsockoptInt(int(socket), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, length)
	})
	return errors.Join(err, failure)
}

func (c *connection) close() {
	if c.socket != nil {
		_ = c.socket.Close()
		c.socket = nil
	}
}

type answer struct {
	status int
	length int
	isLast bool
}

func (c *connection) receive(take func(status int, part []byte, offset int)) (answer, error) {
	filled := 0
	end := -1
	for end < 0 {
		if filled == len(c.buffer) {
			return answer{}, errors.New("the head of an answer is too long")
		}
		read, err := c.socket.Read(c.buffer[filled:])
		if err != nil {
			return answer{}, fmt.Errorf("no answer: %w", err)
		}
		filled += read
		end = bytes.Index(c.buffer[:filled], []byte("\r\n\r\n"))
	}
	answer, err := parseHead(c.buffer[:end])
	if err != nil {
		return answer, err
	}
	part := c.buffer[end+4 : filled]
	for received := 0; ; {
		if received+len(part) > answer.length {
			return answer, fmt.Errorf("%d bytes after an answer", received+len(part)-answer.length)
		}
		take(answer.status, part, received)
		received += len(part)
		if received == answer.length {
			return answer, c.wakeAfter(1)
		}
		if err := c.wakeAfter(answer.length - received); err != nil {
			return answer, err
		}
		read, err := c.socket.Read(c.buffer)
		if err != nil {
			return answer, fmt.Errorf("an answer ended after %d of %d bytes: %w", received, answer.length, err)
		}
		part = c.buffer[:read]
	}
}

func parseHead(head []byte) (answer, error) {
	lines := bytes.Split(head, []byte("\r\n"))
	if len(lines[0]) < len("HTTP/1.1 200") {
		return answer{}, fmt.Errorf("not an answer: %q", lines[0])
	}
	status, err := strconv.Atoi(string(lines[0][9:12]))
	if err != nil {
		return answer{}, fmt.Errorf("not an answer: %q", lines[0])
	}
	parsed := answer{status: status, length: -1}
	for _, line := range lines[1:] {
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if parsed.length, err = strconv.Atoi(string(value)); err != nil {
				return parsed, fmt.Errorf("Content-Length: %q", value)
			}
		case bytes.EqualFold(name, []byte("connection")):
			parsed.isLast = bytes.EqualFold(value, []byte("close"))
		}
	}
	if parsed.length < 0 {
		return parsed, fmt.Errorf("an answer %d without a Content-Length", status)
	}
	return parsed, nil
}
