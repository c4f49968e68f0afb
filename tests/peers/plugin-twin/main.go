// The twin of tests/bench/programs/packer-plugin-twin, in Go: the same plugin as a Go author writes it, which
// baler's is compared with.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/packer-plugin-sdk/packer"
	"github.com/hashicorp/packer-plugin-sdk/plugin"
	"github.com/hashicorp/packer-plugin-sdk/template/config"
	"github.com/hashicorp/packer-plugin-sdk/version"
)

type settings struct {
	Lines int `mapstructure:"lines"`
	Bytes int `mapstructure:"bytes"`
	// The keys that Packer adds.
	Rest map[string]interface{} `mapstructure:",remain"`
}

func decode(raws []interface{}) (settings, error) {
	var decoded settings
	err := config.Decode(&decoded, &config.DecodeOpts{Interpolate: true}, raws...)
	return decoded, err
}

// sink is a machine that drops what it gets.
type sink struct{ ui packer.Ui }

func (sink) Start(_ context.Context, cmd *packer.RemoteCmd) error {
	go cmd.SetExited(0)
	return nil
}

func (s sink) Upload(_ string, source io.Reader, _ *os.FileInfo) error {
	begin := time.Now()
	count, err := io.Copy(io.Discard, source)
	s.ui.Say(fmt.Sprintf("received %d in %f ms", count, time.Since(begin).Seconds()*1000))
	return err
}

func (sink) UploadDir(string, string, []string) error   { return nil }
func (sink) DownloadDir(string, string, []string) error { return nil }

func (sink) Download(_ string, destination io.Writer) error {
	_, err := destination.Write(make([]byte, 1024))
	return err
}

type artifact struct{}

func (artifact) BuilderId() string        { return "bench.twin" }
func (artifact) Files() []string          { return nil }
func (artifact) Id() string               { return "twin" }
func (artifact) String() string           { return "twin" }
func (artifact) State(string) interface{} { return nil }
func (artifact) Destroy() error           { return nil }

type builder struct{ config settings }

func (*builder) ConfigSpec() hcldec.ObjectSpec { return hcldec.ObjectSpec{} }

func (b *builder) Prepare(raws ...interface{}) ([]string, []string, error) {
	var err error
	b.config, err = decode(raws)
	return nil, nil, err
}

func (b *builder) Run(ctx context.Context, ui packer.Ui, hook packer.Hook) (packer.Artifact, error) {
	begin := time.Now()
	for line := 0; line < b.config.Lines; line++ {
		ui.Message("a line of output")
	}
	ui.Say(fmt.Sprintf("said in %f ms", time.Since(begin).Seconds()*1000))
	data := map[string]interface{}{"ConnType": "", "ID": "twin"}
	if err := hook.Run(ctx, packer.HookProvision, ui, sink{ui}, data); err != nil {
		return nil, err
	}
	return artifact{}, nil
}

// pusher sends bytes to the machine.
type pusher struct{ config settings }

func (*pusher) ConfigSpec() hcldec.ObjectSpec { return hcldec.ObjectSpec{} }

func (p *pusher) Prepare(raws ...interface{}) error {
	var err error
	p.config, err = decode(raws)
	return err
}

type zeros struct{ left int }

func (z *zeros) Read(buffer []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	count := min(len(buffer), z.left)
	z.left -= count
	return count, nil
}

func (p *pusher) Provision(_ context.Context, ui packer.Ui, machine packer.Communicator, _ map[string]interface{}) error {
	begin := time.Now()
	err := machine.Upload("/push", &zeros{p.config.Bytes}, nil)
	ui.Say(fmt.Sprintf("pushed in %f ms", time.Since(begin).Seconds()*1000))
	return err
}

func main() {
	set := plugin.NewSet()
	set.RegisterBuilder("machine", new(builder))
	set.RegisterProvisioner("push", new(pusher))
	set.SetVersion(version.NewPluginVersion("1.0.0", "", ""))
	if err := set.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
