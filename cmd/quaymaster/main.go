// Command quaymaster audits network devices and ESXi hosts for command and control hidden in file transfer protocols
// (MITRE ATT&CK T1071.002). It only reads.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
