package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A program is what every command shares: the streams it may use, and the clock.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) (string, bool)
	now            func() time.Time
}

// An exitError ends the program with a code; err may be nil when everything was said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage marks an error as the user's: exit code 2.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{audit.ExitUsage, err}
}

// run is the whole program: it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	defer func() {
		if v := recover(); v != nil {
			fmt.Fprintf(stderr, "quaymaster: internal error: %v\n%s", v, debug.Stack())
			code = audit.ExitInternal
		}
	}()
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr, env: os.LookupEnv, now: time.Now}
	root := p.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var exit *exitError
	switch {
	case err == nil:
		return audit.ExitClean
	case errors.Is(err, syscall.EPIPE):
		return audit.ExitClean // the reader went away: it had what it wanted
	case errors.As(err, &exit):
		if exit.err != nil {
			p.complain(exit.err)
		}
		return exit.code
	case errors.Is(err, context.Canceled):
		p.complain(errors.New("interrupted"))
		return audit.ExitIncomplete
	}
	p.complain(err)
	return audit.ExitUsage
}

func (p *program) complain(err error) {
	fmt.Fprintf(p.stderr, "quaymaster: %s\n", printable(err.Error()))
}

// printable keeps hostile names from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '?'
		}
		return r
	}, s)
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "quaymaster",
		Short: "Find command and control hidden in file transfer protocols, by reading only",
		Long: `Quaymaster reads device configurations, host state and logs and answers, per device and protocol
(FTP, FTPS, SMB, TFTP; ATT&CK T1071.002): could it happen, did it happen, would we know, who said it may.

Exit codes: 0 complete and nothing at or above --fail-on; 1 findings; 2 usage or policy error;
3 incomplete; 4 nothing to audit; 70 internal error.`,
		Example:       "  quaymaster demo\n  quaymaster audit configs/\n  quaymaster explain QM1001",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.CompletionOptions.HiddenDefaultCmd = false
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.AddGroup(
		&cobra.Group{ID: "audit", Title: "Audit:"},
		&cobra.Group{ID: "ask", Title: "Ask:"},
		&cobra.Group{ID: "keep", Title: "Policy and history:"},
		&cobra.Group{ID: "tool", Title: "The tool itself:"},
	)
	root.SetCompletionCommandGroupID("tool")
	root.SetHelpCommandGroupID("tool")
	root.AddCommand(
		p.auditCommand(), p.collectCommand(), p.demoCommand(),
		p.factsCommand(), p.filtersCommand(), p.coverageCommand(), p.checksCommand(), p.explainCommand(),
		p.policyCommand(), p.baselineCommand(), p.profileCommand(), p.evidenceCommand(),
		p.doctorCommand(), p.versionCommand(),
	)
	strict(root)
	p.fromEnvironment(root)
	return root
}

// strict makes every command's argument errors usage errors.
func strict(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error { return usage(check(c, args)) }
	}
	for _, s := range c.Commands() {
		strict(s)
	}
}

// envName is the environment variable of a flag: --fail-on is QUAYMASTER_FAIL_ON.
func envName(flag string) string {
	return "QUAYMASTER_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment lets QUAYMASTER_* set flags that the command line does not.
func (p *program) fromEnvironment(root *cobra.Command) {
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		var err error
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Changed || err != nil || f.Name == "help" {
				return
			}
			if v, ok := p.env(envName(f.Name)); ok {
				if e := c.Flags().Set(f.Name, v); e != nil {
					err = usage(fmt.Errorf("environment variable %s: %w", envName(f.Name), e))
				}
				if f.Annotations == nil {
					f.Annotations = map[string][]string{}
				}
				f.Annotations["origin"] = []string{"environment"}
			}
		})
		return err
	}
}
