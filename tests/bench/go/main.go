// Go's net/rpc with gob over the stdio of a child process: what Packer's
// plugins speak, less its multiplexer. With the argument "serve" it is the
// child; otherwise it starts one, reads what is to be done from stdin, a line
// each, and writes to stdout how many milliseconds it took.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Nested is a part of Small.
type Nested struct{ X, Y float64 }

// Small is the small argument that every peer is called with.
type Small struct {
	ID     int
	Name   string
	Tags   []string
	OK     bool
	Nested Nested
}

// Echo is what is called.
type Echo struct{}

// Small answers with what it was called with.
func (Echo) Small(argument Small, reply *Small) error { *reply = argument; return nil }

// Bytes answers with what it was called with.
func (Echo) Bytes(argument []byte, reply *[]byte) error { *reply = argument; return nil }

type pipes struct {
	io.ReadCloser
	writer io.WriteCloser
}

func (p pipes) Write(data []byte) (int, error) { return p.writer.Write(data) }
func (p pipes) Close() error                   { return p.writer.Close() }

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		must(rpc.Register(Echo{}))
		rpc.ServeConn(pipes{os.Stdin, os.Stdout})
		return
	}
	child := exec.Command(os.Args[0], "serve")
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	must(err)
	stdout, err := child.StdoutPipe()
	must(err)
	must(child.Start())
	client := rpc.NewClient(pipes{stdout, stdin})

	small := Small{123456, "a small argument", []string{"one", "two"}, true, Nested{1.5, 2}}
	call := func() {
		var reply Small
		must(client.Call("Echo.Small", small, &reply))
	}
	works := map[string]func(int){
		"sequential": func(count int) {
			for ; count > 0; count-- {
				call()
			}
		},
		"concurrent": func(count int) {
			left := make(chan struct{}, count)
			for ; count > 0; count-- {
				left <- struct{}{}
			}
			close(left)
			var lanes sync.WaitGroup
			for lane := 0; lane < 1000; lane++ {
				lanes.Add(1)
				go func() {
					defer lanes.Done()
					for range left {
						call()
					}
				}()
			}
			lanes.Wait()
		},
		"bytes": func(count int) {
			bytes := make([]byte, 1<<20)
			for ; count > 0; count-- {
				var reply []byte
				must(client.Call("Echo.Bytes", bytes, &reply))
			}
		},
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		work := works[words[0]]
		if work == nil {
			fmt.Printf("unknown work %q\n", words[0])
			continue
		}
		count, err := strconv.Atoi(words[1])
		must(err)
		begin := time.Now()
		work(count)
		fmt.Println(float64(time.Since(begin).Nanoseconds()) / 1e6)
	}
	must(client.Close())
	must(child.Wait())
}
