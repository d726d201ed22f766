package ssh

import (
	"context"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/inventory"
)

// CollectAtMost collects with a smaller limit for one answer.
func CollectAtMost(ctx context.Context, t inventory.Target, w *evidence.Writer, bytes int64) error {
	c := &collector{trust: newTrust(), max: bytes}
	return c.collect(ctx, t, w)
}

// CollectByShell collects over an interactive session alone, as from a device that runs no commands without one.
func CollectByShell(ctx context.Context, t inventory.Target, w *evidence.Writer) error {
	c := &collector{trust: newTrust(), max: MaxOutput, shell: true}
	return c.collect(ctx, t, w)
}
